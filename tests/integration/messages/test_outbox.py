"""The outbox: one mail for each step through repetition, crashes and races, and a stored reason for each other end."""

import re
from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import uuid4

import pytest
from sqlalchemy import select

import emails
from app.context import Context
from app.messages import outbox
from app.messages.cadence import NOTICES
from app.messages.suppression import suppress
from app.messages.words import Reason, SuppressedBecause
from app.models import (
    Customer,
    Hold,
    Invoice,
    Organization,
    RecoveryCase,
    SubscriptionSnapshot,
)
from app.vocabulary import (
    CaseState,
    FinalActionState,
    HoldKind,
    MessageState,
    StopReason,
)
from tests.integration.messages.conftest import Post, TurnedClock
from tests.integration.messages.rows import START
from tests.integration.messages.scripted import HOUR, Scripted, add_promise, add_snapshot, another_case, entries, settle


def opened(post: Post, index: int = -1) -> EmailMessage:
    mail = message_from_bytes(post.files()[index].read_bytes(), policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_a_planned_mail_leaves_once_however_often_it_is_asked_to(post: Post) -> None:
    message_id = post.queue()
    assert post.deliver(message_id) is MessageState.DELIVERED
    assert post.deliver(message_id) is MessageState.DELIVERED
    mail = opened(post)
    assert len(post.files()) == 1
    assert mail["To"] == "anna.schmidt@example.com"
    assert mail["From"] == "Northwind Tools <billing@northwind.example.com>"
    assert mail["Reply-To"] == "help@northwind.example.com"
    assert mail["Message-ID"] == f"<{message_id}.1@northwind.example.com>"
    assert "https://pay.example.com/pay/" in text_of(mail)
    assert entries(post) == ["mail_sent"]


def test_planning_the_same_step_again_gives_the_same_mail(post: Post) -> None:
    assert post.queue(key="step-1") == post.queue(key="step-1") != post.queue(key="step-2")


def test_a_kind_of_mail_that_does_not_exist_is_refused_at_once(post: Post) -> None:
    with pytest.raises(emails.UnknownMail):
        post.queue(kind="surprise")


def test_a_message_of_another_organization_is_not_there(post: Post) -> None:
    message_id = post.queue()
    with pytest.raises(outbox.MessageMissing):
        outbox.deliver(post.context, uuid4(), message_id)
    with pytest.raises(outbox.MessageMissing):
        post.deliver(uuid4())


def test_what_was_written_is_kept_with_the_message(post: Post) -> None:
    message_id = post.queue()
    post.deliver(message_id, Scripted("sg-1"))
    message = post.message(message_id)
    assert message.state is MessageState.ACCEPTED
    assert (message.provider_message_id, message.sender, message.sends) == ("sg-1", "scripted", 1)
    assert (message.recipient, message.locale) == ("anna.schmidt@example.com", "de-DE")
    assert message.subject
    assert message.html_body is not None
    assert "<html" in message.html_body
    assert message.next_try_at is None


@pytest.mark.parametrize("kind", sorted(set(emails.kinds) - NOTICES))
def test_every_kind_of_mail_about_a_case_can_be_written_from_rows(post: Post, kind: str) -> None:
    key = None
    if kind == "recovered":
        settle(post)
    if kind in ("subscription_changed", "choice_confirmed"):
        add_snapshot(post)
    if kind == "promise_confirmed":
        key = f"{kind}:{add_promise(post)}"
    message_id = post.queue(kind, key)
    assert post.deliver(message_id) is MessageState.DELIVERED
    assert "49,00" in text_of(opened(post))
    assert "Northwind" in text_of(opened(post))


def test_a_mail_that_asks_for_money_names_every_open_invoice_of_the_customer(post: Post) -> None:
    second = another_case(post)
    post.change(Invoice, second.invoice_id, currency="jpy", amount_remaining=1200)
    message_id = post.queue()
    post.deliver(message_id)
    text = text_of(opened(post))
    assert "49,00" in text
    assert re.search(r"1[.,]200", text)


def test_a_paid_invoice_ends_every_planned_mail_that_asks_for_it(post: Post) -> None:
    message_id = post.queue("reminder")
    settle(post)
    assert post.deliver(message_id) is MessageState.SKIPPED
    message = post.message(message_id)
    assert (message.reason, message.next_try_at) == (Reason.PAID, None)
    assert post.files() == []
    assert entries(post) == ["mail_skipped"]


def test_a_stopped_case_ends_its_mails(post: Post) -> None:
    message_id = post.queue()
    post.change(
        RecoveryCase, post.rows.case_id, state=CaseState.CLOSED, closed_at=START, stop_reason=StopReason.OPERATOR
    )
    assert post.deliver(message_id) is MessageState.SKIPPED
    assert post.message(message_id).reason == Reason.STOPPED


def test_a_suppressed_address_is_not_written_to_whatever_its_case(post: Post) -> None:
    with post.context.database.organization(post.rows.organization_id) as session:
        suppress(session, "Anna.Schmidt@Example.com", SuppressedBecause.BOUNCED, START)
    message_id = post.queue()
    assert post.deliver(message_id) is MessageState.SKIPPED
    assert post.message(message_id).reason == Reason.SUPPRESSED


@pytest.mark.parametrize(("email", "reason"), [(None, Reason.NO_ADDRESS), ("nobody", Reason.INVALID_ADDRESS)])
def test_a_customer_without_an_address_is_a_reason_and_no_error(post: Post, email: str | None, reason: Reason) -> None:
    post.change(Customer, post.rows.customer_id, email=email)
    message_id = post.queue()
    assert post.deliver(message_id) is MessageState.SKIPPED
    assert post.message(message_id).reason == reason


def test_a_snoozed_customer_is_written_to_when_the_snooze_is_over(post: Post, mail_clock: TurnedClock) -> None:
    hold = Hold(
        organization_id=post.rows.organization_id,
        customer_id=post.rows.customer_id,
        kind=HoldKind.SNOOZE,
        key="snooze-1",
        reason="asked on the page",
        begins_at=START,
        until=START + 8 * HOUR,
        created_by="customer",
    )
    post.add(hold)
    message_id = post.queue()
    assert post.deliver(message_id) is MessageState.PLANNED
    message = post.message(message_id)
    assert (message.reason, message.next_try_at) == (Reason.HELD, START + 8 * HOUR)
    mail_clock.turn(8 * HOUR)
    assert post.deliver(message_id) is MessageState.DELIVERED
    assert post.message(message_id).reason is None


def test_one_person_gets_one_mail_a_day_also_as_two_customers(post: Post, mail_clock: TurnedClock) -> None:
    twin = another_case(post, email="ANNA.schmidt@example.com")
    first, second = post.queue(), post.queue(rows=twin)
    assert post.deliver(first) is MessageState.DELIVERED
    assert post.deliver(second) is MessageState.PLANNED
    assert post.message(second).reason == Reason.WRITTEN_TO_RECENTLY
    mail_clock.turn(21 * HOUR)  # twenty would be seven in the morning in Berlin
    assert post.deliver(second) is MessageState.DELIVERED


def test_a_public_url_that_is_no_link_keeps_the_mail_until_it_is_put_right(
    post: Post, make_mail_context: Callable[..., Context]
) -> None:
    message_id = post.queue()
    broken = Post(make_mail_context(public_url="javascript:alert(1)"), post.rows)
    assert broken.deliver(message_id) is MessageState.PLANNED
    assert post.message(message_id).reason == "not_written:UnsafeLink"
    assert post.deliver(message_id) is MessageState.DELIVERED


def test_a_customer_named_like_markup_cannot_reach_the_html(post: Post) -> None:
    post.change(Organization, post.rows.organization_id, name="<script>alert(1)</script>")
    post.change(RecoveryCase, post.rows.case_id, billed_name="<b>Pro</b>")
    message_id = post.queue()
    post.deliver(message_id)
    html = post.message(message_id).html_body
    assert html is not None
    assert "<script>alert" not in html
    assert "<b>Pro</b>" not in html


def test_a_change_that_was_told_is_not_told_twice_but_its_undoing_is(post: Post, mail_clock: TurnedClock) -> None:
    add_snapshot(post)
    post.change(RecoveryCase, post.rows.case_id, state=CaseState.EXHAUSTED, exhausted_at=START)
    assert post.deliver(post.queue("subscription_changed", "final_action")) is MessageState.DELIVERED
    assert post.deliver(post.queue("subscription_changed", "again")) is MessageState.SKIPPED
    later = mail_clock.turn(HOUR)
    with post.context.database.organization(post.rows.organization_id) as session:
        snapshot = session.scalars(select(SubscriptionSnapshot)).one()
        snapshot.state, snapshot.restored_at = FinalActionState.RESTORED, later
    assert post.deliver(post.queue("subscription_changed", "restored")) is MessageState.DELIVERED
