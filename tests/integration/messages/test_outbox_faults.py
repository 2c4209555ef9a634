"""The outbox when things go wrong: races, busy and silent providers, processes that die or sleep too long."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from app.messages import outbox
from app.messages.claiming import LEASE
from app.messages.outcome import Taken, record
from app.messages.senders.port import OutgoingMail, SenderBusy, SenderRefused, SenderSilent
from app.messages.words import Reason
from app.models import Message
from app.vocabulary import MessageState
from tests.integration.messages.conftest import Post, TurnedClock
from tests.integration.messages.rows import START
from tests.integration.messages.scripted import HOUR, MINUTE, ProcessDied, Scripted, another_case, entries, settle


def test_two_workers_with_two_mails_to_one_person_send_one(post: Post) -> None:
    messages = [post.queue(key="one"), post.queue(rows=another_case(post))]
    everyone_is_ready = threading.Barrier(2)

    def work(message_id: UUID) -> None:
        everyone_is_ready.wait(10)
        post.deliver(message_id)

    at_once([partial(work, message_id) for message_id in messages])
    assert len(post.files()) == 1


def at_once(works: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_eight_workers_with_one_mail_send_one(post: Post) -> None:
    message_id = post.queue()
    at_once([partial(post.deliver, message_id)] * 8)
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
    assert message.next_try_at == START + LEASE
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
    message_id = queue_at(post)
    sender = Scripted("sg-1")
    assert post.deliver(message_id, sender) is MessageState.PLANNED
    assert sender.taken == []
    assert post.message(message_id).reason == "lease_ran_out"


def queue_at(post: Post) -> UUID:
    with post.context.database.organization(post.rows.organization_id) as session:
        case = post.rows.case(session)
        return outbox.queue(session, case=case, key="k", kind="reminder", step_id=None, now=START).id
