"""The way out of reminders, by a mail program's one click and by a person's; and what a notice leads to."""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app import create_app
from app.messages import suppression
from app.messages.words import Reason, SuppressedBecause
from app.models import CaseEntry, Customer
from app.vocabulary import MessageState
from emails.locales import languages
from tests.integration.messages.conftest import Post, TurnedClock
from tests.integration.messages.scripted import HOUR

ANNA = "anna.schmidt@example.com"


@pytest.fixture
def web(post: Post) -> Iterator[FlaskClient]:
    post.context.settings.redis_url = "redis://127.0.0.1:1/0"  # away: each process counts visits for itself
    with create_app(post.context).test_client() as client:
        yield client


def sent_headers(post: Post) -> dict[str, str]:
    mail = message_from_bytes(post.files()[-1].read_bytes(), policy=default)
    return {name: str(mail[name]) for name in ("List-Unsubscribe", "List-Unsubscribe-Post") if mail[name]}


def way_out(post: Post) -> str:
    """The address that a reminder carries, as a path of ours."""
    post.deliver(post.queue("reminder"))
    found = re.fullmatch(r"<https://pay\.example\.com(/unsubscribe/[\w.-]+)>", sent_headers(post)["List-Unsubscribe"])
    assert found
    return found[1]


def reason(post: Post) -> SuppressedBecause | None:
    with post.context.database.organization(post.rows.organization_id) as session:
        return suppression.find_reason(session, ANNA)


def test_a_reminder_offers_one_click_and_a_first_notice_does_not(post: Post, mail_clock: TurnedClock) -> None:
    post.deliver(post.queue("payment_failed"))
    assert sent_headers(post) == {}
    mail_clock.turn(24 * HOUR)
    way_out(post)
    assert sent_headers(post)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_way_out_stands_under_the_mail_too(post: Post) -> None:
    path = way_out(post)
    raw = message_from_bytes(post.files()[-1].read_bytes(), policy=default).get_body(("plain",))
    assert raw is not None
    assert path in raw.get_content()


def test_one_click_of_a_mail_program_stops_reminders_and_nothing_else(
    post: Post, web: FlaskClient, mail_clock: TurnedClock
) -> None:
    path = way_out(post)
    answer = web.post(path, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)
    assert reason(post) is SuppressedBecause.UNSUBSCRIBED
    mail_clock.turn(24 * HOUR)
    again, last = post.queue("reminder", "another"), post.queue("final_notice")
    assert post.deliver(again) is MessageState.SKIPPED
    assert post.message(again).reason == Reason.UNSUBSCRIBED
    assert post.deliver(last) is MessageState.DELIVERED


def test_opening_the_link_changes_nothing_because_scanners_open_links(post: Post, web: FlaskClient) -> None:
    path = way_out(post)
    page = web.get(path)
    assert page.status_code == 200
    assert "Northwind Tools" in page.text
    assert ANNA not in page.text
    assert "Anna" not in page.text
    assert reason(post) is None


def test_whoever_left_may_come_back_and_both_stand_on_the_timeline_once(post: Post, web: FlaskClient) -> None:
    path = way_out(post)
    for _ in range(2):
        web.post(path)
    assert f'action="{path}/undo"' in web.get(path).text
    person = web.post(path, data={"button": ""})
    assert (person.status_code, person.headers["Location"]) == (303, path)
    back = web.post(f"{path}/undo")
    assert back.status_code == 303
    assert f'action="{path}"' not in web.get(back.headers["Location"]).text
    assert reason(post) is None
    with post.context.database.organization(post.rows.organization_id) as session:
        names = list(session.scalars(select(CaseEntry.name).where(CaseEntry.name.like("%subscribed"))))
    assert sorted(names) == ["mail_resubscribed", "mail_unsubscribed"]


def test_coming_back_does_not_open_an_address_that_bounced(post: Post, web: FlaskClient) -> None:
    path = way_out(post)
    web.post(path)
    with post.context.database.organization(post.rows.organization_id) as session:
        suppression.suppress(session, ANNA, SuppressedBecause.BOUNCED, post.context.clock.now())
    back = web.post(f"{path}/undo")
    assert reason(post) is SuppressedBecause.BOUNCED
    page = web.get(back.headers["Location"]).text
    assert "An diese Adresse gehen keine E-Mails" in page
    assert "<button" not in page


def test_the_address_of_a_button_leads_back_to_its_page(post: Post, web: FlaskClient) -> None:
    path = way_out(post)
    for rest in ("/undo", "/nowhere/at/all"):
        answer = web.get(path + rest)
        assert (answer.status_code, answer.headers["Location"]) == (303, path)


@pytest.mark.parametrize("path", ["/unsubscribe/nonsense", "/notice/nonsense", "/unsubscribe/%00", "/notice/a.b.c"])
def test_a_link_that_is_not_ours_opens_nothing(web: FlaskClient, path: str) -> None:
    assert web.get(path).status_code in (400, 404)
    assert web.post(path).status_code in (400, 404, 405)


def test_the_link_of_a_mail_about_a_case_opens_no_notice(post: Post, web: FlaskClient) -> None:
    token = way_out(post).removeprefix("/unsubscribe/")
    assert web.get(f"/notice/{token}").status_code == 404


@pytest.mark.parametrize("language", languages())
def test_the_page_speaks_every_language_of_the_mails(post: Post, web: FlaskClient, language: str) -> None:
    path = way_out(post)
    post.change(Customer, post.rows.customer_id, locales=[language])
    page = web.get(path)
    opening = page.text[page.text.index("<html") :].partition(">")[0]
    assert f'lang="{language}"' in opening
    assert ('dir="rtl"' in opening) == (language == "ar")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert len(page.data) < 8000
