"""From the inbox to its handlers: whatever is away comes back, poison is parked with its reason, nothing is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError

from app import embedded
from app.bell import Bell
from app.context import Context
from app.inbox import claiming, processing
from app.inbox.handlers import Handler, find_handler
from app.inbox.handlers.arrival import Arrival
from app.inbox.processing import MOST_FAULTS
from app.models import AuditEntry, InboxEvent
from app.stripe_gateway.errors import Unauthorized
from app.vocabulary import InboxState
from tests.integration.inbox.receiver import Receiver, body_of, event, serving
from workers import boot
from workers.pool import work
from workers.sweeping import sweep_once

NOWHERE = "redis://127.0.0.1:1/0"
DURING_TROUBLE = "trouble.of.a.test"
inbox_commands = import_module("app.cli.inbox")
Handlers = Callable[[Handler], None]


@pytest.fixture
def handle_with(monkeypatch: pytest.MonkeyPatch) -> Handlers:
    """Have events of one type handled by a function of the test's."""

    def use(handler: Handler) -> None:
        def find(name: str) -> Handler | None:
            return handler if name == DURING_TROUBLE else find_handler(name)

        monkeypatch.setattr(processing, "find_handler", find)

    return use


@pytest.fixture
def jobs(context: Context, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """Jobs run by this test's own worker are handed the test's context."""
    monkeypatch.setattr(boot, "context", lambda: context)
    yield context
    context.bell.redis.flushdb()


def turn(context: Context, **by: float) -> None:
    context.clock.turn_to(context.clock.now() + timedelta(**by))  # type: ignore[attr-defined]


def only(receiver: Receiver) -> InboxEvent:
    (row,) = receiver.rows()
    return row


def drain_patiently(context: Context, rounds: int) -> None:
    for _ in range(rounds):
        processing.drain(context)
        turn(context, hours=2)


@contextmanager
def postgres_away(context: Context, services: embedded.Services) -> Iterator[None]:
    """Nobody gets into the test's database, and whoever was in it is thrown out."""
    name = str(context.settings.database_url).rsplit("/", 1)[1].split("?")[0]
    with psycopg.connect(services.database_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
        try:
            yield
        finally:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def test_while_postgres_is_away_stripe_is_asked_to_come_again_and_does_so_in_vain_for_nothing(
    receiver: Receiver, services: embedded.Services
) -> None:
    known, new = body_of(event()), body_of(event())
    assert receiver.post(known).status_code == 200
    with postgres_away(receiver.context, services):
        for body in (known, new):
            answer = receiver.post(body)
            assert answer.status_code == 500
            assert "send it again" in answer.text
    assert [receiver.post(body).status_code for body in (new, known, new)] == [200, 200, 200]
    assert len(receiver.rows()) == 2


def test_a_receiver_that_starts_while_postgres_is_away_asks_stripe_to_come_again(
    receiver: Receiver, services: embedded.Services
) -> None:
    with serving(receiver.context) as base_url:
        fresh = replace(receiver, base_url=base_url)
        body = body_of(event())
        with postgres_away(receiver.context, services):
            assert fresh.post(body).status_code == 500
        assert fresh.post(body).status_code == 200


def test_connections_that_died_in_the_night_cost_no_event(receiver: Receiver, services: embedded.Services) -> None:
    assert receiver.post(body_of(event())).status_code == 200
    with postgres_away(receiver.context, services):
        pass
    assert receiver.post(body_of(event())).status_code == 200


def test_while_redis_is_away_events_are_kept_and_the_sweep_finds_them(receiver: Receiver, jobs: Context) -> None:
    deaf = replace(jobs, bell=Bell(NOWHERE))
    told = event("quantum.entangled")
    with serving(deaf) as base_url:
        assert replace(receiver, base_url=base_url).post(body_of(told)).status_code == 200
    assert jobs.bell.waiting() == 0
    assert sweep_once(deaf) == 0
    turn(jobs, seconds=2)
    assert sweep_once(jobs) == 1
    work(jobs, burst=True)
    assert only(receiver).state is InboxState.HANDLED


def test_an_event_rings_once_for_a_burst_and_is_handled(receiver: Receiver, jobs: Context) -> None:
    for _ in range(20):
        assert receiver.post(body_of(event("quantum.entangled"))).status_code == 200
    assert jobs.bell.waiting() == 1
    work(jobs, burst=True)
    assert {row.outcome for row in receiver.rows()} == {"kept; nothing follows from this type"}
    assert receiver.post(body_of(event())).status_code == 200
    assert jobs.bell.waiting() == 1, "whoever comes after the bell was heard rings again"


@pytest.mark.parametrize(
    "problem",
    [
        ValueError("a number was expected"),
        AttributeError("'NoneType' object has no attribute 'get'"),
        RecursionError("too deep"),
        DataError("update", {"email": "robin@example.com"}, psycopg.DataError("NUL is not text")),
        RuntimeError("a NUL \x00 in the reason"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_poison_is_parked_with_its_reason_and_holds_up_nobody(
    receiver: Receiver, handle_with: Handlers, problem: Exception
) -> None:
    def stumble(_arrival: Arrival) -> str:
        raise problem

    handle_with(stumble)
    poison, good = event(DURING_TROUBLE), event("quantum.entangled")
    for told in (poison, good):
        assert receiver.post(body_of(told)).status_code == 200
    processing.drain(receiver.context)
    assert receiver.rows(good["id"])[0].state is InboxState.HANDLED
    (row,) = receiver.rows(poison["id"])
    assert (row.state, row.tries) == (InboxState.RECEIVED, 1)
    drain_patiently(receiver.context, MOST_FAULTS + 1)
    (row,) = receiver.rows(poison["id"])
    assert (row.state, row.tries) == (InboxState.PARKED, MOST_FAULTS)
    assert row.problem is not None
    assert row.problem.startswith(type(problem).__name__)
    assert "robin" not in row.problem
    assert row.lease_token is None


def test_a_parked_event_is_listed_and_replayed_by_command(
    receiver: Receiver, handle_with: Handlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble: list[Exception] = [ValueError("not yet understood")]

    def heal(_arrival: Arrival) -> str:
        if trouble:
            raise trouble[0]
        return "understood now"

    handle_with(heal)
    monkeypatch.setattr(inbox_commands, "open_context", lambda: receiver.context)
    assert receiver.post(body_of(event(DURING_TROUBLE))).status_code == 200
    drain_patiently(receiver.context, MOST_FAULTS)
    row_id = str(only(receiver).id)

    listed = CliRunner().invoke(inbox_commands.inbox, ["parked"])
    assert listed.exit_code == 0
    assert f"{row_id}  " in listed.output
    assert "ValueError: not yet understood" in listed.output

    trouble.clear()
    assert CliRunner().invoke(inbox_commands.inbox, ["replay", row_id]).exit_code == 0
    processing.drain(receiver.context)
    assert (only(receiver).state, only(receiver).outcome) == (InboxState.HANDLED, "understood now")
    with receiver.context.database.organization(receiver.organization_id) as session:
        assert session.query(AuditEntry).filter_by(action="event.replayed").count() == 1

    again = CliRunner().invoke(inbox_commands.inbox, ["replay", row_id])
    assert again.exit_code == 1
    assert "not parked" in again.output


@pytest.mark.parametrize(
    "problem",
    [OperationalError("select", {}, psycopg.OperationalError("deadlock detected")), Unauthorized("the key was rolled")],
    ids=lambda problem: type(problem).__name__,
)
def test_trouble_that_is_not_the_events_fault_never_parks_it(
    receiver: Receiver, handle_with: Handlers, problem: Exception
) -> None:
    trouble: list[Exception] = [problem]

    def heal(_arrival: Arrival) -> str:
        if trouble:
            raise trouble[0]
        return "at last"

    handle_with(heal)
    assert receiver.post(body_of(event(DURING_TROUBLE))).status_code == 200
    drain_patiently(receiver.context, MOST_FAULTS * 3)
    assert only(receiver).state is InboxState.RECEIVED
    trouble.clear()
    drain_patiently(receiver.context, 1)
    assert (only(receiver).state, only(receiver).outcome) == (InboxState.HANDLED, "at last")


def test_a_worker_that_slept_through_its_lease_does_not_write_the_ending_of_another(
    receiver: Receiver, handle_with: Handlers
) -> None:
    assert receiver.post(body_of(event(DURING_TROUBLE))).status_code == 200
    context = receiver.context
    with context.database.system() as session:
        (slow,) = claiming.claim(session, context.clock.now())
        held = claiming.find_held(session, [slow])
    with context.database.system() as session:
        session.execute(text("update inbox_events set lease_until = now()"))
    handle_with(lambda _arrival: "by the second")
    processing.drain(context)
    handle_with(lambda _arrival: "by the first, much too late")
    processing.handle(context, slow, held[slow.event_id])
    assert only(receiver).outcome == "by the second"


def test_an_event_that_is_being_handled_is_not_claimed_by_anybody_else(receiver: Receiver) -> None:
    for _ in range(30):
        assert receiver.post(body_of(event())).status_code == 200
    context = receiver.context
    with context.database.system() as one, context.database.system() as two:
        ours = claiming.claim(one, context.clock.now())
        theirs = claiming.claim(two, context.clock.now())
        assert not {claim.event_id for claim in ours} & {claim.event_id for claim in theirs}
        assert len(ours) == len(theirs) == claiming.BATCH


def test_a_stored_body_that_cannot_be_read_any_more_is_parked(receiver: Receiver) -> None:
    assert receiver.post(body_of(event())).status_code == 200
    with receiver.context.database.system() as session:
        session.execute(text("update inbox_events set body = 'rubbish'"))
    drain_patiently(receiver.context, MOST_FAULTS)
    assert only(receiver).state is InboxState.PARKED
    assert "error" in str(only(receiver).problem)


def test_only_a_parked_event_of_this_organization_is_replayed(receiver: Receiver) -> None:
    assert receiver.post(body_of(event())).status_code == 200
    with pytest.raises(processing.NotParked):
        processing.replay(receiver.context, receiver.organization_id, only(receiver).id, "test")
    with pytest.raises(processing.NotParked):
        processing.replay(receiver.context, uuid4(), only(receiver).id, "test")
