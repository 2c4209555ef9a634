"""Beginning errands and carrying them on: one running of each kind for a connection, one worker on it at a time.

What an errand does is its stages' business (`kinds`). Stripe's refusal to be asked just now makes it rest and go on
later from the same place; only a key that opens nothing, or the same trouble many times over, ends it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from app.accounts.connections import gateway_for, mark_broken
from app.context import Context
from app.inbox.errands.kinds import STAGES
from app.inbox.errands.walk import LEASE, LeaseLost, Walk
from app.log import get_logger
from app.models import Connection, Errand
from app.stripe_gateway.errors import GatewayError, RetryLater, Unauthorized
from app.stripe_gateway.pace import Pace
from app.vocabulary import ErrandKind, ErrandState

log = get_logger(__name__)
MOST_TRIES = 12
LONGEST_REST = timedelta(hours=1)
MAX_SENTENCE = 1000


class Standing(StrEnum):
    """Where an errand stands after `carry_on`."""

    DONE = "done"
    FAILED = "failed"
    RESTING = "resting"  # it goes on at `until`
    PAUSED = "paused"  # the time given was over; it can go on at once
    ELSEWHERE = "elsewhere"  # another worker has it


@dataclass(frozen=True)
class Progress:
    """What `carry_on` came to. `wait` is in seconds, for a resting errand."""

    standing: Standing
    counts: dict[str, Any]
    wait: float = 0.0
    problem: str | None = None


def begin(
    context: Context, connection: Connection, kind: ErrandKind, asked_by: str, options: dict[str, Any] | None = None
) -> UUID:
    """Begin an errand, or find the one of this kind that is running already; its id."""
    now = context.clock.now()
    values = {
        "id": uuid4(),
        "organization_id": connection.organization_id,
        "connection_id": connection.id,
        "kind": kind,
        "state": ErrandState.RUNNING,
        "asked_by": asked_by,
        "started_at": now,
        "next_try_at": now,
        "options": options or {},
        "position": {},
        "counts": {},
        "tries": 0,
    }
    with context.database.organization(connection.organization_id) as session:
        session.execute(insert(Errand).values(**values).on_conflict_do_nothing())
        running = select(Errand.id).where(
            Errand.connection_id == connection.id, Errand.kind == kind, Errand.state == ErrandState.RUNNING
        )
        return session.scalars(running).one_or_none() or _newest(context, connection, kind)


def _newest(context: Context, connection: Connection, kind: ErrandKind) -> UUID:
    """The one that stood in our way and ended at this very moment."""
    with context.database.organization(connection.organization_id) as session:
        query = select(Errand.id).where(Errand.connection_id == connection.id, Errand.kind == kind)
        return session.scalars(query.order_by(Errand.started_at.desc()).limit(1)).one()


def carry_on(
    context: Context,
    organization_id: UUID,
    errand_id: UUID,
    *,
    until: datetime | None = None,
    say: Callable[[Walk], None] = lambda _walk: None,
    pace: Callable[[], None] | None = None,
) -> Progress:
    """Work on an errand until it is done, must rest, or `until` has come. Harmless to call at any time, by many."""
    claimed = _claim(context, organization_id, errand_id, pace or Pace())
    if isinstance(claimed, Progress):
        return claimed
    kind, walk = claimed
    try:
        is_done = go(walk, kind, until, say)
        return _end(walk) if is_done else _pause(walk)
    except LeaseLost:
        return Progress(Standing.ELSEWHERE, walk.counts)
    except Unauthorized as problem:
        mark_broken(context, walk.connection, problem)
        return _fail(walk, problem)
    except RetryLater as problem:
        return _rest(walk, problem)
    except GatewayError as problem:
        return _fail(walk, problem)
    except Exception as problem:  # a row or an answer nobody foresaw: the errand must neither be lost nor spin
        log.warning("errand.trouble", errand=str(errand_id), problem=type(problem).__name__)
        return _rest(walk, problem)


def go(walk: Walk, kind: ErrandKind, until: datetime | None, say: Callable[[Walk], None]) -> bool:
    """Take stage after stage, from where the position says, a page at a time; False when `until` came first."""
    names = [name for name, _ in STAGES[kind]]
    begin_at = names.index(walk.position.get("stage", names[0]))
    for name, stage in STAGES[kind][begin_at:]:
        walk.position["stage"] = name
        is_over = False
        while not is_over:
            is_over = stage(walk)
            say(walk)
            if until is not None and walk.context.clock.now() >= until:
                following = names[names.index(name) + 1 :]
                if is_over and not following:
                    return True
                walk.position["stage"] = following[0] if is_over else name
                return False
    return True


def is_free(now: datetime) -> ColumnElement[bool]:
    """Whether nobody works on any errand of the connection: Stripe counts the reads of all of them together."""
    other = aliased(Errand)
    at_work = select(other.id).where(
        other.connection_id == Errand.connection_id, other.state == ErrandState.RUNNING, other.lease_until > now
    )
    return ~at_work.exists()


def rehearse(
    context: Context, connection: Connection, kind: ErrandKind, say: Callable[[Walk], None], pace: Callable[[], None]
) -> Walk:
    """Go through a whole errand and write nothing; what it would have found is on the walk. Raises `GatewayError`."""
    gateway = gateway_for(context, connection, pace)
    walk = Walk(context, gateway, connection, context.clock.now(), options={}, position={}, counts={})
    go(walk, kind, None, say)
    walk.counts["found"] = len(walk.rehearsed)
    return walk


def _claim(
    context: Context, organization_id: UUID, errand_id: UUID, pace: Callable[[], None]
) -> tuple[ErrandKind, Walk] | Progress:
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        row = session.scalars(
            update(Errand)
            .where(Errand.id == errand_id, Errand.state == ErrandState.RUNNING, is_free(now))
            .values(lease_token=uuid4(), lease_until=now + LEASE)
            .returning(Errand)
        ).one_or_none()
        if row is None:
            ended = session.get_one(Errand, errand_id)
            is_over = ended.state is not ErrandState.RUNNING
            standing = Standing(ended.state.value) if is_over else Standing.ELSEWHERE
            return Progress(standing, ended.counts, problem=ended.problem)
        connection = session.get_one(Connection, row.connection_id)
    walk = Walk(
        context=context,
        gateway=gateway_for(context, connection, pace),
        connection=connection,
        started_at=row.started_at,
        options=row.options,
        position=dict(row.position),
        counts=dict(row.counts),
        errand_id=row.id,
        token=row.lease_token,
    )
    return row.kind, walk


def _end(walk: Walk) -> Progress:
    now = walk.context.clock.now()
    _release(walk, state=ErrandState.DONE, finished_at=now, position=walk.position, counts=walk.counts, problem=None)
    return Progress(Standing.DONE, walk.counts)


def _pause(walk: Walk) -> Progress:
    _release(walk, next_try_at=walk.context.clock.now(), position=walk.position)
    return Progress(Standing.PAUSED, walk.counts)


def _fail(walk: Walk, problem: Exception) -> Progress:
    now, words = walk.context.clock.now(), _sentence(problem)
    _release(walk, state=ErrandState.FAILED, finished_at=now, problem=words)
    return Progress(Standing.FAILED, walk.counts, problem=words)


def _rest(walk: Walk, problem: Exception) -> Progress:
    with walk.context.database.organization(walk.organization_id) as session:
        tries = session.get_one(Errand, walk.errand_id).tries + 1
    if tries >= MOST_TRIES:
        return _fail(walk, problem)
    wait = min(timedelta(seconds=2) * 2**tries, LONGEST_REST)
    wait = max(wait, timedelta(seconds=getattr(problem, "retry_after", None) or 0))
    words = _sentence(problem)
    _release(walk, tries=tries, next_try_at=walk.context.clock.now() + wait, problem=words)
    return Progress(Standing.RESTING, walk.counts, wait.total_seconds(), words)


def _release(walk: Walk, **values: Any) -> None:
    with walk.context.database.organization(walk.organization_id) as session:
        session.execute(
            update(Errand)
            .where(Errand.id == walk.errand_id, Errand.lease_token == walk.token)
            .values(lease_token=None, lease_until=None, **values)
        )


def _sentence(problem: Exception) -> str:
    """What went wrong, without what a failed statement was about to write."""
    words = getattr(problem, "orig", None) or problem
    return f"{type(problem).__name__}: {words}".replace("\x00", "")[:MAX_SENTENCE]
