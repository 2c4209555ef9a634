"""The sweep: nothing that was left behind stays behind, and no two clocks ring for the same message."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from app.messages.sweep import sweep_due
from app.models import Message
from app.vocabulary import MessageState
from tests.integration.messages.conftest import Post, TurnedClock
from tests.integration.messages.scripted import ProcessDied, Scripted

MINUTE = timedelta(minutes=1)


def sweep(post: Post, limit: int = 50) -> list[UUID]:
    with post.context.database.system() as session:
        found = sweep_due(session, post.context.clock.now(), limit)
    assert all(organization_id == post.rows.organization_id for organization_id, _ in found)
    return [message_id for _, message_id in found]


def test_a_mail_whose_bell_was_never_heard_is_rung_for_once_a_minute(post: Post, mail_clock: TurnedClock) -> None:
    message_id = post.queue()
    assert sweep(post) == []
    mail_clock.turn(timedelta(seconds=15))
    assert sweep(post) == [message_id]
    assert sweep(post) == []
    mail_clock.turn(MINUTE)
    assert sweep(post) == [message_id]
    assert post.deliver(message_id) is MessageState.DELIVERED
    mail_clock.turn(MINUTE)
    assert sweep(post) == []


def test_a_claim_whose_process_died_is_unknown_a_minute_later_and_sent_again_half_an_hour_after(
    post: Post, mail_clock: TurnedClock
) -> None:
    message_id = post.queue()
    with pytest.raises(ProcessDied):
        post.deliver(message_id, Scripted(ProcessDied()))
    assert sweep(post) == []
    mail_clock.turn(MINUTE)
    assert sweep(post) == []
    message = post.message(message_id)
    assert (message.state, message.reason) == (MessageState.UNKNOWN, "no_answer_in_time")
    mail_clock.turn(30 * MINUTE)
    assert sweep(post) == [message_id]
    assert post.deliver(message_id) is MessageState.DELIVERED
    assert len(post.files()) == 1
    assert post.message(message_id).sends == 2


def test_a_mail_that_died_twice_is_left_for_people(post: Post, mail_clock: TurnedClock) -> None:
    message_id = post.queue()
    for _ in range(2):
        with pytest.raises(ProcessDied):
            post.deliver(message_id, Scripted(ProcessDied()))
        mail_clock.turn(MINUTE)
        sweep(post)
        mail_clock.turn(30 * MINUTE)
        sweep(post)
    mail_clock.turn(timedelta(days=1))
    assert sweep(post) == []
    assert post.message(message_id).state is MessageState.UNKNOWN
    assert post.deliver(message_id, Scripted()) is MessageState.UNKNOWN


def test_two_clocks_at_once_share_the_work(post: Post, mail_clock: TurnedClock) -> None:
    messages = {post.queue(key=f"mail-{number}") for number in range(6)}
    mail_clock.turn(MINUTE)
    database, now = post.context.database, post.context.clock.now()
    with database.system() as first, database.system() as second:
        mine = {message_id for _, message_id in sweep_due(first, now, 4)}
        theirs = {message_id for _, message_id in sweep_due(second, now, 50)}
    assert len(mine) == 4
    assert mine | theirs == messages
    assert not mine & theirs


def test_the_sweep_leaves_finished_messages_and_those_that_wait_alone(post: Post) -> None:
    done, waiting = post.queue(key="done"), post.queue(key="waiting")
    post.deliver(done)
    with post.context.database.organization(post.rows.organization_id) as session:
        later = post.context.clock.now() + MINUTE
        session.execute(update(Message).where(Message.id == waiting).values(next_try_at=later))
    assert sweep(post) == []
