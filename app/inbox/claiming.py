"""Whose a kept event is: claimed in small batches under a lease, oldest first. Knows nothing of what events mean.

Leases are on Postgres' clock, like those of steps. A claim that was neither finished nor given back tells of a worker
that died, and the event may have been what killed it. Such an event is claimed alone, so that those which merely
waited beside it come to no suspicion, and from the third time on for twice as long, so that a slow one may yet get
done and a storm that kills every worker may pass before it is parked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, or_, select, text, update
from sqlalchemy.orm import Session

from app.db import prepared
from app.models import Connection, InboxEvent
from app.vocabulary import InboxState

LEASE = timedelta(seconds=45)
RENEW_AFTER = timedelta(seconds=15)  # in a batch, the last may have to wait for those before it
BATCH = 8
LEFT_BEHIND = text(
    """
    update inbox_events set lease_token = gen_random_uuid(), tries = tries + 1, unfinished = unfinished + 1,
        lease_until = now() + cast(:lease as interval) * power(2, greatest(unfinished - 1, 0))
    where id = (
        select id from inbox_events where state = 'received' and lease_until <= now()
        order by lease_until limit 1 for update skip locked
    )
    returning id, organization_id, lease_token, unfinished
    """
)
FREE = text(
    """
    update inbox_events set lease_token = gen_random_uuid(), tries = tries + 1, lease_until = now() + :lease
    where id = any (array (  -- made once, while a subquery may be planned to run, limit and all, for each row
        select id from inbox_events where state = 'received' and next_try_at <= :now and lease_until is null
        order by next_try_at, id limit :limit for update skip locked
    ))
    returning id, organization_id, lease_token, unfinished
    """
)


@dataclass(frozen=True)
class EventClaim:
    """An event that is ours to handle while `token` is on it.

    `unfinished`: how many claims of it have been left behind since one was last brought to an end.
    """

    event_id: int
    organization_id: UUID
    token: UUID
    unfinished: int
    claimed_at: datetime


def claim(session: Session, now: datetime, limit: int = BATCH) -> list[EventClaim]:
    """Claim one event that a dead worker left behind, else up to `limit` that wait. Needs the system session."""
    rows = session.execute(LEFT_BEHIND, {"lease": LEASE}).all()
    rows = rows or session.execute(FREE, {"lease": LEASE, "now": now, "limit": limit}).all()
    claims = [EventClaim(row.id, row.organization_id, row.lease_token, row.unfinished, now) for row in rows]
    return sorted(claims, key=lambda one: one.event_id)


def was_all(claims: Sequence[EventClaim], limit: int = BATCH) -> bool:
    """Whether a claim for `limit` took all that waited; one that was left behind comes alone, and says nothing."""
    return len(claims) < limit and not any(one.unfinished for one in claims)


def has_unfinished(session: Session, now: datetime) -> bool:
    """Whether an event has waited since `now` at the latest, or was left behind by a worker that died."""
    return session.scalar(*_unfinished(now)) is not None


@prepared
def _unfinished(by: datetime) -> Select[int]:
    waits = (InboxEvent.next_try_at <= by) & InboxEvent.lease_until.is_(None)
    query = select(InboxEvent.id).where(
        InboxEvent.state == InboxState.RECEIVED, or_(waits, InboxEvent.lease_until <= func.now())
    )
    return query.limit(1)


def find_held(session: Session, claims: Sequence[EventClaim]) -> dict[int, tuple[InboxEvent, Connection]]:
    """Claimed events of one organization by their ids, each with whose it is; without those that are somebody else's
    by now."""
    found = session.execute(*_held([one.event_id for one in claims], [one.token for one in claims]))
    return {event.id: (event, connection) for event, connection in found}


@prepared
def _held(event_ids: Sequence[int], tokens: Sequence[UUID]) -> Select[InboxEvent, Connection]:
    both = select(InboxEvent, Connection).join(Connection, Connection.id == InboxEvent.connection_id)
    return both.where(InboxEvent.id.in_(event_ids), InboxEvent.lease_token.in_(tokens))


def needs_renewal(one: EventClaim, now: datetime) -> bool:
    """Whether an event has waited so long beside others of its batch that its claim might end while it is handled."""
    return now - one.claimed_at >= RENEW_AFTER


def renew(session: Session, one: EventClaim) -> bool:
    """Keep a claim for long enough to handle its event; False when it is somebody else's by now."""
    statement = update(InboxEvent).where(InboxEvent.id == one.event_id, InboxEvent.lease_token == one.token)
    renewed = session.scalar(statement.values(lease_until=func.now() + LEASE).returning(InboxEvent.id))
    return renewed is not None


def give_back(session: Session, claims: Sequence[EventClaim]) -> None:
    """Free events that were claimed and not begun."""
    session.execute(
        update(InboxEvent)
        .where(InboxEvent.lease_token.in_([one.token for one in claims]))
        .values(
            lease_token=None,
            lease_until=None,
            tries=InboxEvent.tries - 1,
            unfinished=func.greatest(InboxEvent.unfinished - 1, 0),
        )
    )
