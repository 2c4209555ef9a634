"""The outbox: one mail for each step through repetition, crashes and races, and a stored reason for each other end."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

import emails
from app.context import Context
from app.messages import outbox
from app.messages.cadence import Reason
from app.messages.outcome import Taken, record
from app.messages.senders.port import OutgoingMail, SenderBusy, SenderRefused, SenderSilent
from app.messages.suppression import SuppressedBecause, suppress
from app.models import (
    CaseEntry,
    Customer,
    Hold,
    Invoice,
    Message,
    Organization,
    RecoveryCase,
    Subscription,
    SubscriptionSnapshot,
)
from app.vocabulary import (
    CaseState,
    FinalActionKind,
    FinalActionState,
    HoldKind,
    MessageState,
    RecoveredBy,
    StopReason,
)
from tests.integration.messages.conftest import Post, TurnedClock
from tests.integration.messages.rows import START, Rows, write_case

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Scripted:
    """A sender that answers what it is told, in order, and keeps what it was given."""

    name = "scripted"
    delivers_at_once = False

    def __init__(
        self, *answers: Exception | str | None, meanwhile: Callable[[OutgoingMail], None] | None = None
    ) -> None:
        self.answers = list(answers)
        self.taken: list[OutgoingMail] = []
        self.meanwhile = meanwhile

    def send(self, mail: OutgoingMail) -> str | None:
        answer = self.answers.pop(0)
        self.taken.append(mail)
        if self.meanwhile:
            self.meanwhile(mail)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class ProcessDied(BaseException):
    """Stands for SIGKILL: nothing after it runs."""


def entries(post: Post) -> list[str]:
    with post.context.database.organization(post.rows.organization_id) as session:
        return list(session.scalars(select(CaseEntry.name).order_by(CaseEntry.id)))


def opened(post: Post, index: int = -1) -> EmailMessage:
    mail = message_from_bytes(post.files()[index].read_bytes(), policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def settle(post: Post, **case: Any) -> None:
    """The invoice is paid and the case knows it."""
    post.change(Invoice, post.rows.invoice_id, status="paid", amount_remaining=0, amount_paid=4900, paid_at=START)
    values = {"recovered_at": START, "recovered_by": RecoveredBy.RETRY, "recovered_amount": 4900}
    post.change(RecoveryCase, post.rows.case_id, state=CaseState.RECOVERED, **(values | case))


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


@pytest.mark.parametrize("kind", list(emails.kinds))
def test_every_kind_of_mail_can_be_written_from_rows(post: Post, kind: str) -> None:
    if kind == "recovered":
        settle(post)
    if kind == "subscription_changed":
        add_snapshot(post)
    message_id = post.queue(kind)
    assert post.deliver(message_id) is MessageState.DELIVERED
    assert "49,00" in text_of(opened(post))
    assert "Northwind" in text_of(opened(post))


def add_snapshot(post: Post, **values: Any) -> None:
    given = {"action": FinalActionKind.PAUSE, "state": FinalActionState.DONE, "taken_at": START, "done_at": START}
    post.add(
        SubscriptionSnapshot(organization_id=post.rows.organization_id, case_id=post.rows.case_id, **(given | values))
    )


def test_a_mail_that_asks_for_money_names_every_open_invoice_of_the_customer(post: Post) -> None:
    second = another_case(post)
    post.change(Invoice, second.invoice_id, currency="jpy", amount_remaining=1200)
    message_id = post.queue()
    post.deliver(message_id)
    text = text_of(opened(post))
    assert "49,00" in text
    assert re.search(r"1[.,]200", text)


def another_case(post: Post, **customer: Any) -> Rows:
    rows = post.rows
    given = customer or {"customer_id": rows.customer_id}
    with post.context.database.organization(rows.organization_id) as session:
        return write_case(session, rows.organization_id, rows.connection_id, rows.version_id, **given)


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
        until=START + 10 * HOUR,
        created_by="customer",
    )
    post.add(hold)
    message_id = post.queue()
    assert post.deliver(message_id) is MessageState.PLANNED
    message = post.message(message_id)
    assert (message.reason, message.next_try_at) == (Reason.HELD, START + 10 * HOUR)
    mail_clock.turn(10 * HOUR)
    assert post.deliver(message_id) is MessageState.DELIVERED
    assert post.message(message_id).reason is None


def test_one_person_gets_one_mail_a_day_also_as_two_customers(post: Post, mail_clock: TurnedClock) -> None:
    twin = another_case(post, email="ANNA.schmidt@example.com")
    first, second = post.queue(), post.queue(rows=twin)
    assert post.deliver(first) is MessageState.DELIVERED
    assert post.deliver(second) is MessageState.PLANNED
    assert post.message(second).reason == Reason.WRITTEN_TO_RECENTLY
    mail_clock.turn(20 * HOUR)
    assert post.deliver(second) is MessageState.DELIVERED


def test_two_workers_with_two_mails_to_one_person_send_one(post: Post) -> None:
    messages = [post.queue(key="one"), post.queue(rows=another_case(post))]
    everyone_is_ready = threading.Barrier(2)

    def work(message_id: Any) -> None:
        everyone_is_ready.wait(10)
        post.deliver(message_id)

    at_once([lambda message_id=message_id: work(message_id) for message_id in messages])
    assert len(post.files()) == 1


def at_once(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_eight_workers_with_one_mail_send_one(post: Post) -> None:
    message_id = post.queue()
    at_once([lambda: post.deliver(message_id) and None] * 8)
    assert len(post.files()) == 1
    assert post.message(message_id).sends == 1


def test_a_busy_provider_is_asked_again_after_growing_pauses(post: Post, mail_clock: TurnedClock) -> None:
    message_id = post.queue()
    sender = Scripted(*[SenderBusy("sendgrid_429")] * 3, SenderBusy("sendgrid_429", 30 * MINUTE), "sg-1")
    pauses = []
    for _ in range(4):
        assert post.deliver(message_id, sender) is MessageState.PLANNED
        message = post.message(message_id)
        assert (message.reason, message.sends) == ("sendgrid_429", 0)
        assert message.next_try_at is not None
        pauses.append(message.next_try_at - mail_clock.now())
        mail_clock.moment = message.next_try_at
    assert pauses == [MINUTE, 2 * MINUTE, 4 * MINUTE, 30 * MINUTE]
    assert post.deliver(message_id, sender) is MessageState.ACCEPTED
    assert {mail.send_number for mail in sender.taken} == {1}


def test_a_provider_that_stays_away_for_days_makes_the_mail_stale(post: Post, mail_clock: TurnedClock) -> None:
    message_id = post.queue()
    post.deliver(message_id, Scripted(SenderBusy("sendgrid_503")))
    mail_clock.turn(timedelta(days=3, seconds=1))
    assert post.deliver(message_id, Scripted()) is MessageState.SKIPPED
    assert post.message(message_id).reason == Reason.STALE


def test_a_refused_mail_is_failed_and_stays_so(post: Post) -> None:
    message_id = post.queue()
    assert post.deliver(message_id, Scripted(SenderRefused("sendgrid_400"))) is MessageState.FAILED
    assert post.deliver(message_id, Scripted()) is MessageState.FAILED
    assert post.message(message_id).reason == "sendgrid_400"
    assert entries(post) == ["mail_failed"]


def test_a_silent_provider_leaves_the_mail_unknown_and_it_is_sent_once_more(
    post: Post, mail_clock: TurnedClock
) -> None:
    message_id = post.queue()
    sender = Scripted(SenderSilent("timeout"), SenderSilent("timeout"))
    assert post.deliver(message_id, sender) is MessageState.UNKNOWN
    assert post.deliver(message_id, sender) is MessageState.UNKNOWN
    mail_clock.turn(29 * MINUTE)
    assert post.deliver(message_id, sender) is MessageState.UNKNOWN
    assert len(sender.taken) == 1
    mail_clock.turn(MINUTE)
    assert post.deliver(message_id, sender) is MessageState.UNKNOWN
    assert [mail.send_number for mail in sender.taken] == [1, 2]
    mail_clock.turn(48 * HOUR)
    assert post.deliver(message_id, sender) is MessageState.UNKNOWN
    assert post.message(message_id).next_try_at is None
    assert entries(post) == ["mail_unknown", "mail_unknown"]


def test_an_unknown_mail_is_not_sent_again_once_the_invoice_is_paid(post: Post, mail_clock: TurnedClock) -> None:
    message_id = post.queue()
    post.deliver(message_id, Scripted(SenderSilent("timeout")))
    settle(post)
    mail_clock.turn(31 * MINUTE)
    assert post.deliver(message_id, Scripted()) is MessageState.UNKNOWN
    message = post.message(message_id)
    assert (message.reason, message.next_try_at, message.sends) == (Reason.PAID, None, 1)


def test_a_resend_that_is_refused_leaves_what_was_unknown_unknown(post: Post, mail_clock: TurnedClock) -> None:
    message_id = post.queue()
    post.deliver(message_id, Scripted(SenderSilent("timeout")))
    mail_clock.turn(31 * MINUTE)
    assert post.deliver(message_id, Scripted(SenderBusy("sendgrid_500"))) is MessageState.UNKNOWN
    assert post.message(message_id).next_try_at == mail_clock.now() + 30 * MINUTE
    mail_clock.turn(31 * MINUTE)
    assert post.deliver(message_id, Scripted(SenderRefused("sendgrid_400"))) is MessageState.UNKNOWN
    message = post.message(message_id)
    assert (message.sends, message.next_try_at) == (1, None)


def test_a_process_that_dies_while_sending_leaves_a_claim_for_the_sweep(post: Post) -> None:
    message_id = post.queue()
    with pytest.raises(ProcessDied):
        post.deliver(message_id, Scripted(ProcessDied()))
    message = post.message(message_id)
    assert message.state is MessageState.CLAIMED
    assert message.next_try_at == START + MINUTE
    assert post.deliver(message_id, Scripted()) is MessageState.CLAIMED


def test_an_answer_that_comes_after_the_lease_still_counts_while_nobody_sent_again(
    post: Post, mail_clock: TurnedClock
) -> None:
    def expire(_mail: OutgoingMail) -> None:
        post.change(Message, message_id, state=MessageState.UNKNOWN, next_try_at=mail_clock.now() + 30 * MINUTE)

    message_id = post.queue()
    assert post.deliver(message_id, Scripted("sg-late", meanwhile=expire)) is MessageState.ACCEPTED
    assert post.message(message_id).provider_message_id == "sg-late"


def test_an_answer_under_a_token_that_was_taken_over_changes_nothing(post: Post) -> None:
    message_id = post.queue()
    post.deliver(message_id, Scripted("sg-1"))
    with post.context.database.organization(post.rows.organization_id) as session:
        state = record(session, message_id, uuid4(), Taken("sg-zombie", True), post.context.settings, START)
    assert state is MessageState.ACCEPTED
    assert post.message(message_id).provider_message_id == "sg-1"


def test_a_process_that_slept_through_its_lease_does_not_send(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = post.context.clock
    moments = iter([START, START + 2 * MINUTE, START + 2 * MINUTE])
    monkeypatch.setattr(clock, "now", lambda: next(moments))
    message_id = post.context and queue_at(post)
    sender = Scripted("sg-1")
    assert post.deliver(message_id, sender) is MessageState.PLANNED
    assert sender.taken == []
    assert post.message(message_id).reason == "lease_ran_out"


def queue_at(post: Post) -> Any:
    with post.context.database.organization(post.rows.organization_id) as session:
        case = post.rows.case(session)
        return outbox.queue(session, case=case, key="k", kind="reminder", step_id=None, now=START).id


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
    post.change(Subscription, post.rows.subscription_id, plan_name="<b>Pro</b>")
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
