"""Handling kept events: each under its claim, finished, put off or parked with its reason.

A handler may run twice, so each reads Stripe and applies what it finds. Three things can go wrong and are counted
apart: an outage (Stripe or Postgres is away; the event waits, for ever if need be), a fault (the handler stumbles; a
few of them park the event) and an end without a word (the worker died of it, perhaps; a few in a row park it, too).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Update, update
from sqlalchemy.exc import DBAPIError, OperationalError

from app.accounts.connections import gateway_for, mark_broken
from app.bell import Urgency
from app.context import Context
from app.db import prepared, table_of
from app.errors import RecoupError
from app.failpoints import failpoint
from app.inbox import claiming
from app.inbox.claiming import EventClaim
from app.inbox.envelope import unpack
from app.inbox.handlers import find_handler
from app.inbox.handlers.arrival import Arrival
from app.log import get_logger
from app.models import AuditEntry, Connection, InboxEvent
from app.recovery.projections import StaleReading
from app.stripe_gateway.errors import ConnectionBroken, NotFound, RetryLater
from app.vocabulary import InboxState

Held = tuple[InboxEvent, Connection]
log = get_logger(__name__)
_EVENTS = table_of(InboxEvent)
A_SHIFT = timedelta(seconds=60)  # after which a job ends and rings for the next: RQ kills jobs after 120
MOST_FAULTS = 5
MOST_UNFINISHED = 5
MAX_SENTENCE = 1000
LARGEST_ID = 2**63 - 1  # that a row can have
LONGEST_WAIT = timedelta(hours=1)


class NotParked(RecoupError):
    """Only a parked event can be replayed."""


def drain(context: Context) -> int:
    """Handle unfinished events until none is left or the shift is over; how many."""
    count = 0
    end = context.clock.now() + A_SHIFT
    while claims := _claim(context):
        held = _find_held(context, claims)
        for place, one in enumerate(claims):
            if context.clock.now() > end:
                with context.database.system() as session:
                    claiming.give_back(session, claims[place:])
                context.bell.ring("drain_inbox", urgency=Urgency.NOW)
                return count
            handle(context, one, held.get(one.event_id))
            count += 1
        if claiming.was_all(claims):
            break  # whatever has come meanwhile has rung for itself
    return count


def _claim(context: Context) -> list[EventClaim]:
    with context.database.system() as session:
        return claiming.claim(session, context.clock.now())


def _find_held(context: Context, claims: Sequence[EventClaim]) -> dict[int, Held]:
    found: dict[int, Held] = {}
    for organization_id in {one.organization_id for one in claims}:
        of_organization = [one for one in claims if one.organization_id == organization_id]
        with context.database.organization(organization_id) as session:
            found |= claiming.find_held(session, of_organization)
    return found


def handle(context: Context, one: EventClaim, held: Held | None) -> None:
    """Handle one claimed event, `held` as its claim found it; trouble is written to its row and never raised, unless
    Postgres is away then, too."""
    if one.unfinished >= MOST_UNFINISHED:
        _park(context, one, f"Unfinished: {one.unfinished} times the worker that handled it ended without a word")
        return
    failpoint("event.before_handling")
    if held is None or not _is_still_ours(context, one):
        return
    event, connection = held
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
        _fault(context, one, event.faults + 1, problem)
    else:
        failpoint("event.before_commit")
        _handled(context, one, outcome)
        failpoint("event.after_commit")


def _is_still_ours(context: Context, one: EventClaim) -> bool:
    if not claiming.needs_renewal(one, context.clock.now()):
        return True
    with context.database.organization(one.organization_id) as session:
        return claiming.renew(session, one)


def replay(context: Context, organization_id: UUID, event_row_id: int, actor: str, user_id: UUID | None = None) -> None:
    """Give a parked event another chance; raises `NotParked`. `user_id` is set for somebody who signed in."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        freed = session.scalar(
            update(InboxEvent)
            .where(InboxEvent.id == event_row_id, InboxEvent.state == InboxState.PARKED)
            .values(state=InboxState.RECEIVED, tries=0, faults=0, unfinished=0, next_try_at=now)
            .returning(InboxEvent.event_id)
        )
        if freed is None:
            raise NotParked("this event is not parked, so there is nothing to replay")
        session.add(
            AuditEntry(
                organization_id=organization_id,
                actor=actor,
                user_id=user_id,
                action="event.replayed",
                subject=freed,
                happened_at=now,
                data={},
            )
        )


def _handled(context: Context, one: EventClaim, outcome: str) -> None:
    """What has been handled is handled, even if its worker was slow and another has begun on it meanwhile."""
    with context.database.organization(one.organization_id) as session:
        session.execute(*_handle(one.event_id, outcome, context.clock.now()))


@prepared
def _handle(event_id: int, outcome: str, now: datetime) -> Update:
    waiting = update(_EVENTS).where(_EVENTS.c.id == event_id, _EVENTS.c.state == InboxState.RECEIVED)
    handled = {"state": InboxState.HANDLED, "outcome": outcome, "handled_at": now, "problem": None}
    return waiting.values(lease_token=None, lease_until=None, **handled)


def _later(context: Context, one: EventClaim, tries: int, problem: Exception) -> None:
    """Stripe or Postgres could not be asked; that is not the event's fault, so it waits and is never parked for it."""
    wait = min(timedelta(seconds=2) * 2 ** min(tries - 1, 12), LONGEST_WAIT)
    wait = max(wait, timedelta(seconds=getattr(problem, "retry_after", None) or 0))
    _put_back(context, one, wait, problem=_sentence(problem))


def _fault(context: Context, one: EventClaim, faults: int, problem: Exception) -> None:
    """The handler stumbled over this event: once more after a growing wait, but not for ever."""
    if faults >= MOST_FAULTS:
        _park(context, one, _sentence(problem), faults=faults)
    else:
        _put_back(context, one, timedelta(seconds=2) * 3 ** (faults - 1), faults=faults, problem=_sentence(problem))


def _park(context: Context, one: EventClaim, problem: str, **values: object) -> None:
    log.error("event.parked", id=one.event_id, problem=problem.partition(":")[0])
    _let_go(context, one, state=InboxState.PARKED, problem=problem, **values)


def _put_back(context: Context, one: EventClaim, wait: timedelta, **values: object) -> None:
    _let_go(context, one, next_try_at=context.clock.now() + wait, unfinished=0, **values)


def _let_go(context: Context, one: EventClaim, **values: object) -> None:
    with context.database.organization(one.organization_id) as session:
        session.execute(
            update(InboxEvent)
            .where(InboxEvent.id == one.event_id, InboxEvent.lease_token == one.token)
            .values(lease_token=None, lease_until=None, **values)
        )


def _sentence(problem: Exception) -> str:
    """What went wrong, fit for a text column and free of what a failed statement was about to write."""
    words = problem.orig if isinstance(problem, DBAPIError) else problem
    return f"{type(problem).__name__}: {words}".replace("\x00", "")[:MAX_SENTENCE]
