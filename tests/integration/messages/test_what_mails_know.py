"""What the rows tell a mail: the customer's language, and the day they promised."""

import pytest

from app.models import Customer, Hold
from app.vocabulary import MessageState
from tests.integration.messages.conftest import Post
from tests.integration.messages.rows import START
from tests.integration.messages.scripted import HOUR, add_promise


@pytest.mark.parametrize(
    ("locales", "written_in", "says"),
    [
        (["ko", "pt-PT"], "pt-PT", "O pagamento"),
        (["zh-TW", "sv"], "sv", "Din betalning"),
        (["zh-TW"], "zh-TW", "付款"),
        (["ko"], "en", "Your payment"),
        ([], "en", "Your payment"),
    ],
)
def test_a_mail_is_written_in_the_first_of_the_customers_languages_that_we_speak(
    post: Post, locales: list[str], written_in: str, says: str
) -> None:
    post.change(Customer, post.rows.customer_id, locales=locales)
    message_id = post.queue()
    assert post.deliver(message_id) is MessageState.DELIVERED
    message = post.message(message_id)
    assert message.locale == written_in
    assert says in str(message.subject)


def test_the_chosen_day_is_named_when_it_is_confirmed(post: Post) -> None:
    message_id = post.queue("promise_confirmed", f"promise_confirmed:{add_promise(post)}")
    assert post.deliver(message_id) is MessageState.DELIVERED
    assert post.message(message_id).subject == "Notiert: Ihre Zahlung am Samstag, 5. September"


def test_the_chosen_day_is_named_when_it_has_passed(post: Post) -> None:
    hold_id = add_promise(post)
    post.change(Hold, hold_id, begins_at=START - 120 * HOUR, promised_for=START - 24 * HOUR, released_at=START)
    message_id = post.queue("promise_broken", f"promise_broken:{hold_id}")
    assert post.deliver(message_id) is MessageState.DELIVERED
    assert "31. August" in str(post.message(message_id).text_body)


@pytest.mark.parametrize(
    ("customer", "zone"),
    [
        ({"timezone": "Asia/Kolkata", "country": "BR"}, "GMT+05:30"),
        ({"timezone": None, "country": "JP"}, "Japan"),
        ({"timezone": None, "country": None}, "Mitteleuropäische"),
    ],
)
def test_dates_are_those_of_the_zone_that_mails_and_charges_keep_to(
    post: Post, customer: dict[str, str | None], zone: str
) -> None:
    post.change(Customer, post.rows.customer_id, **customer)
    message_id = post.queue("final_notice")
    post.deliver(message_id)
    message = post.message(message_id)
    assert zone in str(message.text_body), message.reason
