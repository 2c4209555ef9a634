"""What a reading of a case shows about who else works on it: conflicts found within one event, and over by themselves.

Judges what was read and what stands in rows; asks Stripe nothing. What to do about each is in `accounts.conflicts`.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts import conflicts
from app.models import ChargeAttempt, Connection, Invoice, RecoveryCase, Step
from app.recovery import cases, handover
from app.recovery.endings import is_our_doing
from app.recovery.reading import Reading
from app.vocabulary import (
    OPEN_CASE_STATES,
    AttemptSource,
    CaseOrigin,
    ConflictKind,
    ConnectionMode,
    EntryKind,
    StepKind,
    StepState,
)

OF_A_CASE = (ConflictKind.STRIPE_PLANS_TRY, ConflictKind.STRIPE_TRIED, ConflictKind.NOBODY_RETRIES)
ENDED_BY_STRIPE = ("canceled", "unpaid")


def watch(
    session: Session, connection: Connection, case: RecoveryCase, invoice: Invoice, reading: Reading, now: datetime
) -> None:
    """Note what this reading shows to be in conflict, and settle what it shows to be over. The case is locked."""
    found = _of_case(session, connection, case, invoice, reading) if case.state in OPEN_CASE_STATES else {}
    for kind, detail in found.items():
        if conflicts.note(session, connection, kind, detail, now, subject=invoice.stripe_id, case_id=case.id):
            key = f"conflict:{kind}:{now.isoformat()}"
            cases.append(
                session, case, EntryKind.NOTE, "conflict", key, now, now, f"{conflicts.TITLES[kind]}. {detail}"
            )
    over = [kind for kind in OF_A_CASE if kind not in found]
    conflicts.settle(session, connection.id, over, now, "a reading of the invoice", subject=invoice.stripe_id)
    _watch_the_end(session, connection, case, invoice, reading, now)


def _of_case(
    session: Session, connection: Connection, case: RecoveryCase, invoice: Invoice, reading: Reading
) -> dict[ConflictKind, str]:
    if connection.mode is ConnectionMode.OBSERVE:
        detail = _unattended(session, case, invoice, reading)
        return {ConflictKind.NOBODY_RETRIES: detail} if detail else {}
    if handover.is_under_way(session, case):
        return {}  # a switch has only just been told to this case; what Stripe had planned before is no conflict
    found = {}
    planned = invoice.next_payment_attempt
    if planned is not None:
        found[ConflictKind.STRIPE_PLANS_TRY] = (
            f"Stripe plans to charge {_name(invoice)} on {planned:%Y-%m-%d at %H:%M} UTC."
        )
    tried_at = _tried_since(session, case) if planned or invoice.auto_advance else None
    if tried_at:
        found[ConflictKind.STRIPE_TRIED] = f"Stripe charged {_name(invoice)} on {tried_at:%Y-%m-%d at %H:%M} UTC."
    return found


def _unattended(session: Session, case: RecoveryCase, invoice: Invoice, reading: Reading) -> str | None:
    """Why nobody retries an invoice that Stripe should; None where it does, has done, or is about to be asked."""
    status = reading.subscription.status if reading.subscription else None
    is_another_matter = (
        invoice.next_payment_attempt is not None
        or case.origin is CaseOrigin.OLD_DEBT
        or case.customer_reason == "needs_approval"
        or status in ENDED_BY_STRIPE
        or handover.is_under_way(session, case)
    )
    if is_another_matter or invoice.status != "open":
        return None
    if not invoice.auto_advance:
        return f"Automatic collection of {_name(invoice)} is off (auto_advance)."
    if invoice.attempt_count <= 1:
        kind = "" if invoice.subscription_stripe_id else ", which has no subscription,"
        return f"After the first failure of {_name(invoice)}{kind} Stripe planned no other try."
    return None


def _tried_since(session: Session, case: RecoveryCase) -> datetime | None:
    """When Stripe last charged by itself after Recoup had the invoice; None if it has not."""
    ours_since = session.scalar(
        select(func.max(Step.finished_at)).where(
            Step.case_id == case.id,
            Step.kind.in_((StepKind.TAKE_OVER, StepKind.SWITCH)),
            Step.state == StepState.DONE,
        )
    )
    return session.scalar(
        select(func.max(ChargeAttempt.started_at)).where(
            ChargeAttempt.case_id == case.id,
            ChargeAttempt.source == AttemptSource.STRIPE,
            ChargeAttempt.started_at > max(ours_since or case.opened_at, case.opened_at),
        )
    )


def _watch_the_end(
    session: Session, connection: Connection, case: RecoveryCase, invoice: Invoice, reading: Reading, now: datetime
) -> None:
    """Stripe's end of retries is a setting nobody can read: it shows when it strikes, and when it does not."""
    subscription = reading.subscription
    if subscription is None or invoice.status != "open" or now >= case.window_ends_at:
        return
    reason = subscription.cancellation_reason
    by_stripe = subscription.status == "unpaid" or (subscription.status == "canceled" and reason == "payment_failed")
    if by_stripe and not is_our_doing(session, case):
        detail = (
            f"It made the subscription {subscription.id} {subscription.status}, while the campaign would have gone on"
            f" until {case.window_ends_at:%Y-%m-%d}."
        )
        conflicts.note(session, connection, ConflictKind.STRIPE_ENDS_FIRST, detail, now, case_id=case.id)
    is_spared = invoice.auto_advance and invoice.next_payment_attempt is None and invoice.attempt_count > 1
    if is_spared and subscription.status == "past_due" and connection.mode is ConnectionMode.OBSERVE:
        kinds = [ConflictKind.STRIPE_ENDS_FIRST]
        conflicts.settle(session, connection.id, kinds, now, "a subscription that Stripe left past due")


def _name(invoice: Invoice) -> str:
    return f"invoice {invoice.number or invoice.stripe_id}"
