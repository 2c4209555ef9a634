"""Charges whose answer never came: the same call again while its key lives, afterwards a look at Stripe's books.

Stripe keeps an idempotency key for at least 24 hours; this stops repeating at 23. A case that has ended meanwhile is
never charged again, so there the books alone decide.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.accounts.connections import gateway_for
from app.context import Context
from app.models import ChargeAttempt, Connection, Invoice, RecoveryCase
from app.recovery import cases, planning
from app.recovery.attempts import record_decline
from app.recovery.charging import ASK_AFTER, Intention, carry_out, close_unexecuted, leave_open, to_intention
from app.recovery.endings import record_ending
from app.recovery.facts import find_hold
from app.recovery.observing import observe_invoice
from app.recovery.reading import CLOCKS_DIFFER, Reading, read_invoice
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.snapshots import ChargeSnapshot
from app.vocabulary import OPEN_ATTEMPT_STATES, AttemptState, CaseState, EntryKind, Fact

KEY_LIVES = timedelta(hours=23)
CLAIM = text(
    """
    update charge_attempts set next_check_at = :again
    where id = any (array (  -- made once, while a subquery may be planned to run, limit and all, for each row
        select id from charge_attempts
        where state in ('charging', 'unknown') and next_check_at <= :now
        order by next_check_at limit :limit for update skip locked
    ))
    returning organization_id, id
    """
)


def claim_due(session: Session, now: datetime, limit: int = 50) -> list[tuple[UUID, UUID]]:
    """(organization, attempt) of charges to ask after now; each is handed to one caller for the next minute."""
    rows = session.execute(CLAIM, {"now": now, "again": now + timedelta(seconds=60), "limit": limit})
    return [(row[0], row[1]) for row in rows]


def resolve(context: Context, organization_id: UUID, attempt_id: UUID) -> None:
    """Find out what came of one unanswered charge; raises `GatewayError`."""
    with context.database.organization(organization_id) as session:
        attempt = session.get(ChargeAttempt, attempt_id)
        if attempt is None or attempt.state not in OPEN_ATTEMPT_STATES:
            return
        connection = session.get_one(Connection, attempt.connection_id)
        case = session.get_one(RecoveryCase, attempt.case_id)
        intention = to_intention(attempt, session.get_one(Invoice, case.invoice_id).stripe_id)
    gateway = gateway_for(context, connection)
    # first what is news at Stripe: a customer who has left or paid meanwhile is not asked for money again
    observe_invoice(context, gateway, connection, intention.invoice_stripe_id)
    if _may_repeat(context, intention, attempt.started_at):
        carry_out(context, gateway, connection, intention)
    else:
        _look(context, gateway, connection, intention, attempt.started_at)


def _may_repeat(context: Context, intention: Intention, started_at: datetime) -> bool:
    now = context.clock.now()
    if now - started_at >= KEY_LIVES:
        return False
    with context.database.organization(intention.organization_id) as session:
        case = session.get_one(RecoveryCase, intention.case_id)
        return case.state is CaseState.CHARGING and find_hold(session, case, now) is None


def _look(
    context: Context, gateway: StripeGateway, connection: Connection, intention: Intention, started_at: datetime
) -> None:
    """Decide from Stripe's books: a charge made since then is ours; without one, nothing was charged."""
    reading = read_invoice(gateway, intention.invoice_stripe_id, context.clock.now())
    if any(charge.status == "pending" for charge in reading.charges):
        leave_open(context, intention, ASK_AFTER[2], "the bank is still processing it")
        return
    with context.database.organization(intention.organization_id) as session:
        case = cases.lock_case(session, intention.case_id)
        attempt = session.get_one(ChargeAttempt, intention.attempt_id, with_for_update=True)
        if attempt.state not in OPEN_ATTEMPT_STATES:
            return
        _settle(session, case, attempt, reading, started_at, context.clock.now())
    observe_invoice(context, gateway, connection, intention.invoice_stripe_id)


def _settle(
    session: Session, case: RecoveryCase, attempt: ChargeAttempt, reading: Reading, since: datetime, now: datetime
) -> None:
    charge = _charge_since(session, case, reading, since)
    attempt.next_check_at, attempt.answered_at = None, now
    if charge is None:
        record_ending(session, case, reading, now)
        why = "The request never reached Stripe; nothing was charged."
        close_unexecuted(session, case, attempt, Fact.DECLINED, why, now)
    else:
        attempt.charge_id, attempt.payment_intent_id = charge.id, charge.payment_intent_id
        attempt.signals = vars(charge.signals)
        attempt.state = AttemptState.SUCCEEDED if charge.status == "succeeded" else AttemptState.DECLINED
        session.flush()
        if attempt.state is AttemptState.DECLINED:
            record_decline(session, case, attempt, charge.created, now)
    summary = f"Try {attempt.number} was found in Stripe's books as {attempt.state}."
    cases.append(session, case, EntryKind.NOTE, "resolved", f"resolved:{attempt.number}", now, now, summary)
    record_ending(session, case, reading, now)
    planning.replan(session, case, now)


def _charge_since(session: Session, case: RecoveryCase, reading: Reading, since: datetime) -> ChargeSnapshot | None:
    known = set(session.query(ChargeAttempt.charge_id).filter(ChargeAttempt.case_id == case.id).all())
    known_ids = {row[0] for row in known}
    made = [charge for charge in reading.charges if charge.id not in known_ids]
    return next((charge for charge in made if charge.created >= since - CLOCKS_DIFFER), None)
