"""Taking kept events out of the inbox: claimed in small batches, handled, finished; poison is parked with its reason.

An event is finished under its lease token. A handler may run twice, so each reads Stripe and applies what it finds.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from app.accounts.connections import gateway_for, mark_broken
from app.context import Context
from app.errors import RecoupError
from app.failpoints import failpoint
from app.inbox.envelope import unpack
from app.inbox.handlers import find_handler
from app.inbox.handlers.arrival import Arrival
from app.log import get_logger
from app.models import AuditEntry, Connection, InboxEvent
from app.recovery.projections import StaleReading
from app.stripe_gateway.errors import ConnectionBroken, NotFound, RetryLater
from app.vocabulary import InboxState

log = get_logger(__name__)
LEASE = timedelta(seconds=60)
BATCH = 8
MOST_FAULTS = 5
MAX_SENTENCE = 1000
LONGEST_WAIT = timedelta(hours=1)
CLAIM = text(
    """
    update inbox_events set lease_token = gen_random_uuid(), next_try_at = :until
    where id in (
        select id from inbox_events where state = 'received' and next_try_at <= :now
        order by next_try_at, id limit :limit for update skip locked
    )
    returning id, organization_id, lease_token
    """
)


class NotParked(RecoupError):
    """Only a parked event can be replayed."""


@dataclass(frozen=True)
class EventClaim:
    """An event that is ours to handle while `token` is on it."""

    event_id: int
    organization_id: UUID
    token: UUID


def claim(session: Session, now: datetime, limit: int = BATCH) -> list[EventClaim]:
    """Claim unfinished events of any organization, oldest first."""
    rows = session.execute(CLAIM, {"now": now, "until": now + LEASE, "limit": limit})
    return sorted((EventClaim(*row) for row in rows), key=lambda one: one.event_id)


def drain(context: Context) -> int:
    """Handle unfinished events until none is left; how many."""
    count = 0
    while True:
        with context.database.system() as session:
            claims = claim(session, context.clock.now())
        if not claims:
            return count
        for one in claims:
            handle(context, one)
        count += len(claims)


def has_unfinished(session: Session, now: datetime) -> bool:
    """Whether an event waits that the bell should have brought to a worker by now."""
    query = select(InboxEvent.id).where(InboxEvent.state == InboxState.RECEIVED, InboxEvent.next_try_at <= now)
    return session.scalar(query.limit(1)) is not None


def handle(context: Context, one: EventClaim) -> None:
    """Handle one claimed event; trouble is written to its row and never raised."""
    failpoint("event.before_handling")
    with context.database.organization(one.organization_id) as session:
        event = session.get_one(InboxEvent, one.event_id)
        connection = session.get_one(Connection, event.connection_id)
    try:
        arrival = Arrival(context, gateway_for(context, connection), connection, event, unpack(event.body))
        handler = find_handler(event.type)
        outcome = handler(arrival) if handler else "kept; nothing follows from this type"
    except (RetryLater, StaleReading) as problem:
        _later(context, one, event.tries, problem)
    except ConnectionBroken as problem:
        mark_broken(context, connection, problem)
        _later(context, one, event.tries, problem)
    except OperationalError as problem:
        _later(context, one, event.tries, problem)
    except NotFound as problem:
        _handled(context, one, f"nothing follows; Stripe does not have it (any more): {problem}"[:MAX_SENTENCE])
    except Exception as problem:  # whatever a body nobody foresaw may cause: it must not hold up the events behind it
        log.warning("event.failed", id=event.event_id, type=event.type, problem=type(problem).__name__)
        _fault(context, one, event.tries, problem)
    else:
        failpoint("event.before_commit")
        _handled(context, one, outcome)
        failpoint("event.after_commit")


def replay(context: Context, organization_id: UUID, event_row_id: int, actor: str) -> None:
    """Give a parked event another chance; raises `NotParked`."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        freed = session.scalar(
            update(InboxEvent)
            .where(InboxEvent.id == event_row_id, InboxEvent.state == InboxState.PARKED)
            .values(state=InboxState.RECEIVED, tries=0, next_try_at=now, lease_token=None)
            .returning(InboxEvent.event_id)
        )
        if freed is None:
            raise NotParked("this event is not parked, so there is nothing to replay")
        session.add(
            AuditEntry(
                organization_id=organization_id,
                actor=actor,
                action="event.replayed",
                subject=freed,
                happened_at=now,
                data={},
            )
        )


def _handled(context: Context, one: EventClaim, outcome: str) -> None:
    now = context.clock.now()
    _finish(context, one, state=InboxState.HANDLED, outcome=outcome, handled_at=now, problem=None)


def _later(context: Context, one: EventClaim, tries: int, problem: Exception) -> None:
    """Stripe or Postgres could not be asked; that is not the event's fault, so it waits and is never parked for it."""
    wait = min(timedelta(seconds=2) * 2 ** min(tries, 12), LONGEST_WAIT)
    wait = max(wait, timedelta(seconds=getattr(problem, "retry_after", None) or 0))
    _put_back(context, one, tries + 1, wait, problem)


def _fault(context: Context, one: EventClaim, tries: int, problem: Exception) -> None:
    if tries + 1 >= MOST_FAULTS:
        _finish(context, one, state=InboxState.PARKED, tries=tries + 1, problem=_sentence(problem))
        return
    _put_back(context, one, tries + 1, timedelta(seconds=2) * 3**tries, problem)


def _put_back(context: Context, one: EventClaim, tries: int, wait: timedelta, problem: Exception) -> None:
    next_try_at = context.clock.now() + wait
    _finish(context, one, tries=tries, next_try_at=next_try_at, problem=_sentence(problem))


def _finish(context: Context, one: EventClaim, **values: object) -> None:
    with context.database.organization(one.organization_id) as session:
        session.execute(
            update(InboxEvent)
            .where(InboxEvent.id == one.event_id, InboxEvent.lease_token == one.token)
            .values(lease_token=None, **values)
        )


def _sentence(problem: Exception) -> str:
    """What went wrong, fit for a text column and free of what a failed statement was about to write."""
    words = problem.orig if isinstance(problem, DBAPIError) else problem
    return f"{type(problem).__name__}: {words}".replace("\x00", "")[:MAX_SENTENCE]
