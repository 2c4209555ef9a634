"""Events in the hands of workers that die, sleep or are slow: found again, never lost, and parked if they kill."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.context import Context
from app.inbox import claiming, processing
from app.inbox.claiming import LEASE, RENEW_AFTER, EventClaim
from app.inbox.handlers.arrival import Arrival
from app.inbox.processing import MOST_FAULTS, MOST_UNFINISHED
from app.models import InboxEvent
from app.vocabulary import InboxState
from tests.integration.inbox.receiver import Receiver, body_of, event

ORDINARY, DEADLY = "quantum.entangled", "quantum.collapsed"


class Killed(BaseException):
    """What SIGKILL does to a worker, as far as the rows can tell: nothing is written any more."""


@pytest.fixture
def handle_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Arrival], str]], None]:
    """Have every event handled by a function of the test's."""
    return lambda handler: monkeypatch.setattr(processing, "find_handler", lambda _type: handler)


def deadly(arrival: Arrival) -> str:
    if arrival.event.type == DEADLY:
        raise Killed
    return "survived"


def held(receiver: Receiver, one: EventClaim) -> processing.Held:
    """What a worker reads of an event it has claimed."""
    with receiver.context.database.organization(receiver.organization_id) as session:
        return claiming.find_held(session, [one])[one.event_id]


def tell(receiver: Receiver, *types: str) -> None:
    for name in types:
        assert receiver.post(body_of(event(name))).status_code == 200


def claim(context: Context) -> list[EventClaim]:
    with context.database.system() as session:
        return claiming.claim(session, context.clock.now())


def let_pass(context: Context, real: timedelta = LEASE * 2**MOST_UNFINISHED) -> None:
    """As if so much real time had gone by since the leases were given."""
    with context.database.system() as session:
        session.execute(text("update inbox_events set lease_until = lease_until - :real"), {"real": real})


def turn(context: Context, by: timedelta) -> None:
    context.clock.turn_to(context.clock.now() + by)  # type: ignore[attr-defined]


def work_and_die(context: Context, deaths: int) -> None:
    for _ in range(deaths):
        with pytest.raises(Killed):
            processing.drain(context)
        let_pass(context)


def only(receiver: Receiver) -> InboxEvent:
    (row,) = receiver.rows()
    return row


def test_an_event_that_kills_its_workers_is_parked_and_those_beside_it_are_handled(
    receiver: Receiver, handle_with: Callable[[Callable[[Arrival], str]], None]
) -> None:
    handle_with(deadly)
    tell(receiver, ORDINARY, ORDINARY, DEADLY, *[ORDINARY] * 9)
    work_and_die(receiver.context, MOST_UNFINISHED)
    processing.drain(receiver.context)
    parked = [row for row in receiver.rows() if row.state is InboxState.PARKED]
    assert [row.type for row in parked] == [DEADLY]
    assert (parked[0].unfinished, parked[0].faults) == (MOST_UNFINISHED, 0)
    assert str(parked[0].problem).startswith("Unfinished: 5 times")
    assert {row.outcome for row in receiver.rows() if row.type == ORDINARY} == {"survived"}


def test_a_parked_killer_is_replayed_with_a_clean_record(
    receiver: Receiver, handle_with: Callable[[Callable[[Arrival], str]], None]
) -> None:
    handle_with(deadly)
    tell(receiver, DEADLY)
    work_and_die(receiver.context, MOST_UNFINISHED)
    processing.drain(receiver.context)
    handle_with(lambda _arrival: "understood now")
    processing.replay(receiver.context, receiver.organization_id, only(receiver).id, "test")
    processing.drain(receiver.context)
    assert (only(receiver).outcome, only(receiver).unfinished) == ("understood now", 0)


def test_what_a_dead_worker_held_is_claimed_alone(receiver: Receiver) -> None:
    tell(receiver, *[ORDINARY] * 3)
    assert len(claim(receiver.context)) == 3
    let_pass(receiver.context, LEASE)
    assert [len(claim(receiver.context)) for _ in range(4)] == [1, 1, 1, 0]
    assert {row.unfinished for row in receiver.rows()} == {1}


def test_what_is_left_behind_again_and_again_is_held_for_longer(receiver: Receiver) -> None:
    tell(receiver, ORDINARY)
    assert len(claim(receiver.context)) == 1
    for times_as_long in (1, 1, 2, 4):
        let_pass(receiver.context, LEASE)
        assert len(claim(receiver.context)) == 1
        let_pass(receiver.context, LEASE * (times_as_long - 1))
        assert claim(receiver.context) == []


def test_a_death_long_ago_is_forgotten_once_the_event_was_brought_to_an_end(
    receiver: Receiver, handle_with: Callable[[Callable[[Arrival], str]], None]
) -> None:
    handle_with(deadly)
    tell(receiver, DEADLY)
    work_and_die(receiver.context, MOST_UNFINISHED - 1)

    def away(_arrival: Arrival) -> str:
        raise OperationalError("select", {}, psycopg.OperationalError("the server is starting up"))

    handle_with(away)
    processing.drain(receiver.context)
    assert (only(receiver).unfinished, only(receiver).faults) == (0, 0)
    turn(receiver.context, timedelta(hours=2))
    handle_with(deadly)
    work_and_die(receiver.context, 1)
    assert only(receiver).state is InboxState.RECEIVED


def test_outages_before_a_fault_do_not_count_towards_parking(
    receiver: Receiver, handle_with: Callable[[Callable[[Arrival], str]], None]
) -> None:
    trouble: Exception = OperationalError("select", {}, psycopg.OperationalError("deadlock detected"))

    def stumble(_arrival: Arrival) -> str:
        raise trouble

    handle_with(stumble)
    tell(receiver, ORDINARY)
    for _ in range(MOST_FAULTS * 2):
        processing.drain(receiver.context)
        turn(receiver.context, timedelta(hours=2))
    assert (only(receiver).tries, only(receiver).faults) == (MOST_FAULTS * 2, 0)
    trouble = ValueError("a number was expected")
    for number in range(1, MOST_FAULTS):
        processing.drain(receiver.context)
        turn(receiver.context, timedelta(hours=2))
        assert (only(receiver).state, only(receiver).faults) == (InboxState.RECEIVED, number)
    processing.drain(receiver.context)
    assert (only(receiver).state, only(receiver).faults) == (InboxState.PARKED, MOST_FAULTS)


def test_turning_the_clock_takes_no_event_out_of_a_workers_hands(receiver: Receiver) -> None:
    tell(receiver, ORDINARY)
    (mine,) = claim(receiver.context)
    turn(receiver.context, timedelta(days=30))
    assert claim(receiver.context) == []
    processing.handle(receiver.context, mine, held(receiver, mine))
    assert only(receiver).state is InboxState.HANDLED


def test_the_last_of_a_slow_batch_gets_its_time_anew(receiver: Receiver) -> None:
    tell(receiver, ORDINARY)
    (mine,) = claim(receiver.context)
    let_pass(receiver.context, LEASE)
    turn(receiver.context, RENEW_AFTER)
    with receiver.context.database.organization(receiver.organization_id) as session:
        assert claiming.needs_renewal(mine, receiver.context.clock.now())
        assert claiming.renew(session, mine)
    assert claim(receiver.context) == []


def test_a_worker_that_was_slow_may_still_say_that_it_has_handled_its_event(
    receiver: Receiver, handle_with: Callable[[Callable[[Arrival], str]], None]
) -> None:
    tell(receiver, ORDINARY)
    (slow,) = claim(receiver.context)

    def slowly(_arrival: Arrival) -> str:
        let_pass(receiver.context, LEASE)
        (other,) = claim(receiver.context)
        assert other.token != slow.token
        return "by the slow one"

    handle_with(slowly)
    processing.handle(receiver.context, slow, held(receiver, slow))
    assert (only(receiver).state, only(receiver).outcome) == (InboxState.HANDLED, "by the slow one")


def test_a_worker_whose_shift_is_over_gives_back_what_it_has_not_begun_and_rings(
    receiver: Receiver, handle_with: Callable[[Callable[[Arrival], str]], None]
) -> None:
    def takes_two_minutes(_arrival: Arrival) -> str:
        turn(receiver.context, timedelta(minutes=2))
        return "done at last"

    handle_with(takes_two_minutes)
    tell(receiver, *[ORDINARY] * 3)
    receiver.context.bell.redis.flushdb()
    assert processing.drain(receiver.context) == 1
    assert receiver.context.bell.waiting() == 1
    assert [(row.tries, row.unfinished) for row in receiver.rows() if row.state is InboxState.RECEIVED] == [(0, 0)] * 2
    assert len(claim(receiver.context)) == 2
