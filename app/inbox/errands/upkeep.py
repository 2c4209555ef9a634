"""Which errands are due: an hourly look for what was missed, one every few hours for what is due soon, the past of a
new connection, whatever was left behind.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.context import Context
from app.inbox.errands.running import begin, is_free
from app.models import Connection, Errand
from app.vocabulary import ConnectionStatus, ErrandKind, ErrandState

EVERY = timedelta(hours=1)
NOTICES_EVERY = timedelta(hours=6)
WHILE_TURNING = timedelta(days=1)  # between two looks at what is due soon, while a sandbox's clock is being turned
MONTHS = 24
BY_ITSELF = "Recoup"


def begin_due(context: Context, every: timedelta = EVERY) -> None:
    """Begin the errands whose time has come, for every connection that works; a broken one is only looked at again."""
    now = context.clock.now()
    with context.database.system() as session:
        looked_at = (ConnectionStatus.ACTIVE, ConnectionStatus.BROKEN)
        stale = _connections_without(session, ErrandKind.RECONCILE, now - every, looked_at)
        unwarned = _connections_without(session, ErrandKind.NOTICES, now - NOTICES_EVERY)
        new = _connections_without(session, ErrandKind.BACKFILL, None)
    for connection in stale:
        begin(context, connection, ErrandKind.RECONCILE, BY_ITSELF)
    for connection in unwarned:
        begin(context, connection, ErrandKind.NOTICES, BY_ITSELF)
    for connection in new:
        begin_backfill(context, connection, BY_ITSELF)


def next_look_ahead(context: Context) -> datetime | None:
    """When somebody who turns the clock should stop for a look at what is due soon, a day after the last one.

    None where no connection has had any look yet.
    """
    last = (
        select(func.max(Errand.started_at))
        .join(Connection, Connection.id == Errand.connection_id)
        .where(Errand.kind == ErrandKind.NOTICES, Connection.status == ConnectionStatus.ACTIVE)
        .group_by(Errand.connection_id)
        .subquery()
    )
    with context.database.system() as session:
        oldest: datetime | None = session.scalar(select(func.min(last.c[0])))
    return oldest + WHILE_TURNING if oldest else None


def look_ahead(context: Context) -> list[tuple[UUID, UUID]]:
    """Begin the looks that `next_look_ahead` is for, where they are due; (organization, errand) of each."""
    now = context.clock.now()
    with context.database.system() as session:
        unwarned = _connections_without(session, ErrandKind.NOTICES, now - WHILE_TURNING)
    return [(one.organization_id, begin(context, one, ErrandKind.NOTICES, BY_ITSELF)) for one in unwarned]


def is_looking_ahead(context: Context) -> bool:
    """Whether a look at what is due soon is under way, and not resting until later."""
    query = select(Errand.id).where(
        Errand.kind == ErrandKind.NOTICES,
        Errand.state == ErrandState.RUNNING,
        Errand.next_try_at <= context.clock.now(),
    )
    with context.database.system() as session:
        return session.scalar(query.limit(1)) is not None


def begin_backfill(context: Context, connection: Connection, asked_by: str, months: int = MONTHS) -> UUID:
    """Begin to read the past of a connection: the given number of months up to now."""
    return begin(context, connection, ErrandKind.BACKFILL, asked_by, period(context.clock.now(), months))


def period(now: datetime, months: int) -> dict[str, Any]:
    """The options of a backfill."""
    return {"months": months, "since": (now - timedelta(days=round(months * 365.25 / 12))).isoformat()}


def find_unattended(session: Session, now: datetime) -> list[tuple[UUID, UUID]]:
    """(organization, errand) of what could go on now, the longest waiting of each connection that nobody works on.

    Needs the system session.
    """
    query = (
        select(Errand.organization_id, Errand.id)
        .where(Errand.state == ErrandState.RUNNING, Errand.next_try_at <= now, is_free(now))
        .ext(distinct_on(Errand.connection_id))
        .order_by(Errand.connection_id, Errand.next_try_at)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def _connections_without(
    session: Session,
    kind: ErrandKind,
    since: datetime | None,
    statuses: tuple[ConnectionStatus, ...] = (ConnectionStatus.ACTIVE,),
) -> Iterable[Connection]:
    """Connections that have no errand of this kind that began after `since` (None: no errand of it at all)."""
    last = (
        select(func.max(Errand.started_at))
        .where(Errand.connection_id == Connection.id, Errand.kind == kind)
        .scalar_subquery()
    )
    is_due = last.is_(None) if since is None else or_(last.is_(None), last <= since)
    query = select(Connection).where(Connection.status.in_(statuses), is_due)
    return session.scalars(query.order_by(Connection.created_at)).all()
