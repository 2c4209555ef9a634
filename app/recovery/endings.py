"""How a case ends by what Stripe says: paid by whom, voided, written off, cancelled. Called with the case locked."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import ChargeAttempt, RecoveryCase, Step, SubscriptionSnapshot
from app.outcomes.ledger import has_ended
from app.recovery import cases
from app.recovery.attempts import find_unanswered
from app.recovery.cases import Happened
from app.recovery.choices import CHOSEN
from app.recovery.facts import attempts_of
from app.recovery.reading import Reading
from app.vocabulary import OPEN_STEP_STATES, AttemptSource, AttemptState, Fact, RecoveredBy, StepKind, StopReason

BY_STRIPE = ("payment_failed", "payment_disputed")  # reasons of a cancellation that nobody asked for
_SUMMARIES = {
    RecoveredBy.RETRY: "Paid: Recoup's retry of the card went through.",
    RecoveredBy.NEW_CARD: "Paid: a new card was charged at once.",
    RecoveredBy.AUTHENTICATION: "Paid: the customer approved the payment.",
    RecoveredBy.STRIPE_RETRY: "Paid: Stripe's own retry went through.",
    RecoveredBy.CUSTOMER: "Paid by the customer.",
    RecoveredBy.OUT_OF_BAND: "Marked as paid outside Stripe.",
}
_STOPS = {
    StopReason.VOIDED: "The invoice was voided: nothing is owed any more.",
    StopReason.UNCOLLECTIBLE: "The invoice was written off as uncollectible.",
    StopReason.CANCELLED: "The subscription was cancelled on request.",
    StopReason.CUSTOMER_DELETED: "The customer was deleted at Stripe.",
}


def record_ending(session: Session, case: RecoveryCase, reading: Reading, now: datetime) -> None:
    """Record that the invoice is paid, or that the case is over without money; nothing while it is simply open."""
    if reading.invoice.status == "paid":
        record_paid(session, case, reading, now)
        return
    reason = _why_stopped(session, case, reading)
    if reason:
        happened = Happened(Fact.STOPPED, f"stopped:{reason}", reading.read_at, _STOPS[reason], {"reason": reason})
        cases.record(session, case, happened, now)


def record_paid(session: Session, case: RecoveryCase, reading: Reading, now: datetime) -> None:
    """Record the payment and credit it to the one last thing that happened before it (docs/metrics.md)."""
    invoice = reading.invoice
    cause = cause_of_payment(case, reading, attempts_of(session, case))
    paid_at = min(invoice.paid_at or reading.read_at, now)
    amount = cases.received(case, invoice.amount_paid) or case.amount_due
    data = {"amount": amount, "cause": cause, "currency": invoice.currency}
    cases.record(session, case, Happened(Fact.PAID, "paid", paid_at, _SUMMARIES[cause], data), now)


def cause_of_payment(case: RecoveryCase, reading: Reading, attempts: list[ChargeAttempt]) -> RecoveredBy:
    """The one cause a payment is credited to."""
    if reading.invoice.paid_out_of_band:
        return RecoveredBy.OUT_OF_BAND
    paid_by = _find_paying(reading, attempts)
    if paid_by and paid_by.source is AttemptSource.RECOUP:
        return RecoveredBy.NEW_CARD if paid_by.decision.get("reason") == "new_card" else RecoveredBy.RETRY
    if case.customer_reason == "needs_approval":
        return RecoveredBy.AUTHENTICATION
    if paid_by and paid_by.source is AttemptSource.STRIPE:
        return RecoveredBy.NEW_CARD if case.new_card_at else RecoveredBy.STRIPE_RETRY
    return RecoveredBy.CUSTOMER


def _find_paying(reading: Reading, attempts: list[ChargeAttempt]) -> ChargeAttempt | None:
    """The attempt that brought the money: known to have, or still without its answer when the charge is seen."""
    known = next((attempt for attempt in reversed(attempts) if attempt.state is AttemptState.SUCCEEDED), None)
    charge = next((one for one in reversed(reading.charges) if one.status == "succeeded"), None)
    return known or (find_unanswered(attempts, charge) if charge else None)


def _why_stopped(session: Session, case: RecoveryCase, reading: Reading) -> StopReason | None:
    if reading.invoice.status == "void":
        return None if is_our_doing(session, case) else StopReason.VOIDED
    if reading.invoice.status == "uncollectible":
        return None if is_our_doing(session, case) else StopReason.UNCOLLECTIBLE
    if reading.customer.deleted:
        return StopReason.CUSTOMER_DELETED
    subscription = reading.subscription
    if subscription is None or subscription.status != "canceled":
        return None
    by_stripe = subscription.cancellation_reason in BY_STRIPE
    is_wished = not (by_stripe or is_our_doing(session, case) or has_ended(session, subscription.id))
    return StopReason.CANCELLED if is_wished else None


def is_our_doing(session: Session, case: RecoveryCase) -> bool:
    """Our own final action cancels and writes off too; that is no news. Nor is it where the customer's choice was
    carried out for another bill of the same subscription first: what was said of this one is still to be done.
    """
    taken = select(SubscriptionSnapshot.id).where(SubscriptionSnapshot.case_id == case.id)
    chosen = select(Step.id).where(
        Step.case_id == case.id,
        Step.key == CHOSEN,
        Step.kind == StepKind.FINAL_ACTION,
        Step.state.in_(OPEN_STEP_STATES),
    )
    return session.scalar(taken) is not None or session.scalar(chosen) is not None
