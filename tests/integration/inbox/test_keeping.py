"""The shared commit: who waits together is kept together, nobody fails for a neighbour, nobody is told a lie."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import text

from app import embedded
from app.context import Context
from app.inbox.envelope import compress, read_envelope, unpack
from app.inbox.keeping import Keeper, NotKept, Row, row_of
from tests.integration.inbox.receiver import Receiver, body_of, event
from tests.integration.inbox.test_handling import postgres_away

PATIENCE = 30  # seconds


def row(receiver: Receiver, event_id: str, connection_id: UUID | None = None) -> Row:
    """An event on its way in, of the receiver's account unless another is named."""
    body, now = body_of(event(id=event_id)), receiver.context.clock.now()
    columns = {**vars(read_envelope(body.decode(), now)), "received_at": now}
    return row_of(receiver.organization_id, connection_id or receiver.connection_id, columns, compress(body))


@contextmanager
def writing_held_up(context: Context) -> Iterator[None]:
    """Nobody can write to the inbox until this ends."""
    with context.database.system() as session:
        session.execute(text("lock table inbox_events in share row exclusive mode"))
        yield


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kept_together(receiver: Receiver, keeper: Keeper, rows: Sequence[Row]) -> list[BaseException | None]:
    """What comes of `rows`, all of which arrive while an earlier event is being written."""
    with ThreadPoolExecutor(len(rows) + 1) as threads:
        with writing_held_up(receiver.context):
            first = threads.submit(keeper.keep, row(receiver, f"evt_first_{uuid4().hex}"))
            until(lambda: keeper._is_writing and not keeper._waiting)
            rest: list[Future[None]] = [threads.submit(keeper.keep, one) for one in rows]
            until(lambda: len(keeper._waiting) == len(rows))
        assert first.exception(PATIENCE) is None
        return [one.exception(PATIENCE) for one in rest]


def test_events_that_wait_while_another_is_written_share_one_commit_and_one_ring(receiver: Receiver) -> None:
    rings: list[None] = []
    keeper = Keeper(receiver.context.database, lambda: rings.append(None))
    names = [f"evt_together_{number}" for number in range(6)]
    assert kept_together(receiver, keeper, [row(receiver, name) for name in names]) == [None] * 6
    kept = receiver.rows(*names)
    assert {one.event_id: unpack(one.body)["id"] for one in kept} == {name: name for name in names}
    with receiver.context.database.system() as session:
        assert session.scalar(text("select count(distinct xmin::text) from inbox_events")) == 2
    assert len(rings) == 2


def test_an_event_that_cannot_be_kept_fails_alone(receiver: Receiver) -> None:
    keeper = Keeper(receiver.context.database, lambda: None)
    rows = [row(receiver, "evt_before"), row(receiver, "evt_poison", uuid4()), row(receiver, "evt_behind")]
    before, poison, behind = kept_together(receiver, keeper, rows)
    assert (before, behind) == (None, None)
    assert isinstance(poison, NotKept)
    assert len(receiver.rows("evt_before", "evt_behind")) == 2


def test_one_event_delivered_twice_at_once_is_kept_once_and_acknowledged_twice(receiver: Receiver) -> None:
    keeper = Keeper(receiver.context.database, lambda: None)
    assert kept_together(receiver, keeper, [row(receiver, "evt_twin"), row(receiver, "evt_twin")]) == [None, None]
    assert len(receiver.rows("evt_twin")) == 1


def test_while_postgres_is_away_nothing_is_acknowledged_and_nothing_rung(
    receiver: Receiver, services: embedded.Services
) -> None:
    rings: list[None] = []
    keeper = Keeper(receiver.context.database, lambda: rings.append(None))
    keeper.keep(row(receiver, "evt_there"))
    rows = [row(receiver, f"evt_away_{number}") for number in range(4)]
    with postgres_away(receiver.context, services), ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(keeper.keep, one) for one in rows]
        assert all(isinstance(answer.exception(PATIENCE), NotKept) for answer in answers)
    assert len(rings) == 1
    keeper.keep(row(receiver, "evt_back"))
    assert [one.event_id for one in receiver.rows()] == ["evt_there", "evt_back"]


def test_two_processes_that_are_sent_the_same_events_in_opposite_order_do_not_block_each_other(
    receiver: Receiver,
) -> None:
    keepers = [Keeper(receiver.context.database, lambda: None) for _ in range(2)]
    names = [f"evt_crossed_{number:03}" for number in range(60)]
    with ThreadPoolExecutor(2) as threads:
        batches = [[row(receiver, name) for name in order] for order in (names, names[::-1])]
        written = [threads.submit(keeper._settle, batch) for keeper, batch in zip(keepers, batches, strict=True)]
        assert [one.exception(PATIENCE) for one in written] == [None, None]
    assert [one.problem for batch in batches for one in batch] == [None] * 120
    assert len(receiver.rows(*names)) == 60


@pytest.mark.parametrize("word", ["a \u00e9 \U0001f9fe", 'it\'s "quoted" \\ {and} %(odd)s', "NULL", ""])
def test_whatever_a_type_is_called_it_is_stored_as_it_is(receiver: Receiver, word: str) -> None:
    body, now = body_of(event()), receiver.context.clock.now()
    columns = {**vars(read_envelope(body.decode(), now)), "received_at": now, "type": word, "api_version": None}
    Keeper(receiver.context.database, lambda: None).keep(
        row_of(receiver.organization_id, receiver.connection_id, columns, compress(body))
    )
    (kept,) = receiver.rows()
    assert (kept.type, kept.api_version, unpack(kept.body)) == (word, None, orjson.loads(body))
    assert (kept.received_at, kept.next_try_at) == (now, now)
