"""Cases that are rows told as the planner's facts, for whoever learns from them: what failed, every answered try.

Only tries of the card that failed first are told, because its owner's paydays and its bank are what can be learnt; what
a later card did is another story. Only reads, in batches.
"""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import ChargeAttempt, Customer, PaymentMethod, RecoveryCase
from app.retries.facts import Attempt, Card, CaseFacts, DeclineSignals
from app.vocabulary import AttemptState, CaseOrigin

ANSWERED = (AttemptState.SUCCEEDED, AttemptState.DECLINED, AttemptState.REQUIRES_ACTION)
EARLIER_CASES = 12  # of one customer: a year of monthly failures says all there is to say


def earlier_stories(session: Session, case: RecoveryCase) -> list[CaseFacts]:
    """The customer's own cases that began before this one, newest first."""
    query = select(RecoveryCase).where(
        RecoveryCase.customer_id == case.customer_id,
        RecoveryCase.failed_at < case.failed_at,
        RecoveryCase.origin == CaseOrigin.FAILURE,
    )
    rows = session.scalars(query.order_by(RecoveryCase.failed_at.desc(), RecoveryCase.id).limit(EARLIER_CASES)).all()
    return tell(session, rows)


def tell(session: Session, rows: Sequence[RecoveryCase]) -> list[CaseFacts]:
    """Each case as facts; those whose card nobody knows or whose failure left no charge are left out."""
    attempts = _attempts(session, rows)
    firsts = {case_id: found[0] for case_id, found in attempts.items()}
    cards = _cards(session, list(firsts.values()))
    payers = session.scalars(select(Customer).where(Customer.id.in_({case.customer_id for case in rows})))
    zones = {payer.id: payer.timezone for payer in payers}
    return [
        _story(case, attempts[case.id], cards.get(firsts[case.id].payment_method_id), zones[case.customer_id])
        for case in rows
        if case.id in firsts
    ]


def _attempts(session: Session, rows: Sequence[RecoveryCase]) -> dict[UUID, list[ChargeAttempt]]:
    query = select(ChargeAttempt).where(
        ChargeAttempt.case_id.in_([case.id for case in rows]), ChargeAttempt.state.in_(ANSWERED)
    )
    found: dict[UUID, list[ChargeAttempt]] = defaultdict(list)
    for attempt in session.scalars(query.order_by(ChargeAttempt.started_at, ChargeAttempt.id)):
        if not found[attempt.case_id] or _is_same_card(found[attempt.case_id][0], attempt):
            found[attempt.case_id].append(attempt)
    return found


def _is_same_card(first: ChargeAttempt, other: ChargeAttempt) -> bool:
    if first.fingerprint and other.fingerprint:
        return first.fingerprint == other.fingerprint
    return first.payment_method_id == other.payment_method_id


def _cards(session: Session, firsts: Sequence[ChargeAttempt]) -> dict[str | None, PaymentMethod]:
    wanted = {attempt.payment_method_id for attempt in firsts}
    query = select(PaymentMethod).where(PaymentMethod.stripe_id.in_(wanted))
    return {method.stripe_id: method for method in session.scalars(query)}


def _story(
    case: RecoveryCase, attempts: Sequence[ChargeAttempt], method: PaymentMethod | None, zone: str | None
) -> CaseFacts:
    first = attempts[0]
    return CaseFacts(
        seed=str(case.id),
        failed_at=first.started_at,
        amount_minor=case.amount_due,
        currency=case.currency,
        card=Card(
            first.brand,
            method.funding if method else None,
            method.country if method else None,
            first.fingerprint,
        ),
        attempts=tuple(_attempt(row) for row in attempts),
        timezone=zone,
    )


def _attempt(row: ChargeAttempt) -> Attempt:
    return Attempt(
        at=row.started_at,
        source=row.source.value,
        outcome=_OUTCOMES[row.state],  # type: ignore[arg-type]
        signals=DeclineSignals(**row.signals),
        reached_network=row.reached_network,
        fingerprint=row.fingerprint,
        brand=row.brand,
    )


_OUTCOMES = {
    AttemptState.SUCCEEDED: "approved",
    AttemptState.DECLINED: "declined",
    AttemptState.REQUIRES_ACTION: "requires_action",
}
