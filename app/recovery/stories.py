"""Failures that are rows told as the planner's facts, for whoever learns from them: what failed, every answered try.

Only tries of the card that failed first are told, because its owner's paydays and its bank are what can be learnt; what
a later card did is another story. Cases of our own and the past before Recoup are told alike. Only reads, in batches.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.db import prepared
from app.models import ChargeAttempt, Customer, PastAttempt, PaymentMethod, RecoveryCase
from app.recovery.past import PastStory, past_stories
from app.retries.facts import Attempt, Card, CaseFacts, DeclineSignals
from app.vocabulary import AttemptState, CaseOrigin

_OUTCOMES = {AttemptState.SUCCEEDED: "approved", AttemptState.DECLINED: "declined"}
_EARLIER = 12  # of one customer: a year of monthly failures says all there is to say
_BATCH = 500

AnyAttempt = ChargeAttempt | PastAttempt


def earlier_stories(session: Session, case: RecoveryCase) -> list[CaseFacts]:
    """The customer's own cases that began before this one, newest first."""
    rows = session.scalars(*_earlier(case.customer_id, case.failed_at)).all()
    return tell(session, rows) if rows else []


@prepared
def _earlier(customer_id: UUID, before: datetime) -> Select[RecoveryCase]:
    query = select(RecoveryCase).where(
        RecoveryCase.customer_id == customer_id,
        RecoveryCase.failed_at < before,
        RecoveryCase.origin == CaseOrigin.FAILURE,
    )
    return query.order_by(RecoveryCase.failed_at.desc(), RecoveryCase.id).limit(_EARLIER)


def all_stories(session: Session, since: datetime, at_most: int) -> list[CaseFacts]:
    """The organization's newest failures from `since` on, its own cases before the past that was read."""
    query = select(RecoveryCase).where(RecoveryCase.failed_at >= since, RecoveryCase.origin == CaseOrigin.FAILURE)
    newest = session.scalars(query.order_by(RecoveryCase.failed_at.desc(), RecoveryCase.id).limit(at_most)).all()
    own = [story for rows in _batches(newest) for story in tell(session, rows)]
    past = [story for each in past_stories(session, since) for story in _tell_past(each)]
    return own + past[-(at_most - len(own)) :] if len(own) < at_most else own


def tell(session: Session, rows: Sequence[RecoveryCase]) -> list[CaseFacts]:
    """Each case as facts; those whose first answer is not a refusal are left out."""
    attempts = _attempts(session, rows)
    firsts = {case_id: found[0] for case_id, found in attempts.items()}
    cards = _cards(session, list(firsts.values()))
    payers = session.scalars(select(Customer).where(Customer.id.in_({case.customer_id for case in rows})))
    zones = {payer.id: payer.timezone for payer in payers}
    told = []
    for case in rows:
        found = _on_first_card(attempts.get(case.id, ()))
        if found:
            method = cards.get((case.connection_id, found[0].payment_method_id))
            funding, country = (method.funding, method.country) if method else (None, None)
            card = Card(found[0].brand, funding, country, found[0].fingerprint)
            told.append(_story(case.id, case.amount_due, case.currency, card, zones[case.customer_id], found))
    return told


def _tell_past(story: PastStory) -> Iterator[CaseFacts]:
    failure = story.failure
    answered = [row for row in story.attempts if row.state in _OUTCOMES]
    found = _on_first_card(answered)
    if found:
        card = Card(failure.card_brand, failure.card_funding, failure.card_country, found[0].fingerprint)
        yield _story(failure.id, failure.amount_due, failure.currency, card, failure.timezone, found)


def _batches(rows: Sequence[RecoveryCase]) -> Iterator[Sequence[RecoveryCase]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]


def _attempts(session: Session, rows: Sequence[RecoveryCase]) -> dict[UUID, list[ChargeAttempt]]:
    query = select(ChargeAttempt).where(
        ChargeAttempt.case_id.in_([case.id for case in rows]), ChargeAttempt.state.in_(tuple(_OUTCOMES))
    )
    found: dict[UUID, list[ChargeAttempt]] = defaultdict(list)
    for attempt in session.scalars(query.order_by(ChargeAttempt.started_at, ChargeAttempt.id)):
        found[attempt.case_id].append(attempt)
    return found


def _on_first_card(attempts: Sequence[AnyAttempt]) -> list[AnyAttempt]:
    if not attempts or attempts[0].state is not AttemptState.DECLINED:
        return []
    return [attempt for attempt in attempts if _is_same_card(attempts[0], attempt)]


def _is_same_card(first: AnyAttempt, other: AnyAttempt) -> bool:
    if first.fingerprint and other.fingerprint:
        return first.fingerprint == other.fingerprint
    return first.payment_method_id == other.payment_method_id


def _cards(session: Session, firsts: Sequence[ChargeAttempt]) -> dict[tuple[UUID, str | None], PaymentMethod]:
    wanted = {attempt.payment_method_id for attempt in firsts}
    methods = session.scalars(select(PaymentMethod).where(PaymentMethod.stripe_id.in_(wanted)))
    return {(method.connection_id, method.stripe_id): method for method in methods}


def _story(
    name: UUID, amount: int, currency: str, card: Card, zone: str | None, attempts: Sequence[AnyAttempt]
) -> CaseFacts:
    return CaseFacts(
        seed=str(name),
        failed_at=attempts[0].started_at,
        amount_minor=amount,
        currency=currency,
        card=card,
        attempts=tuple(_attempt(row) for row in attempts),
        timezone=zone,
    )


def _attempt(row: AnyAttempt) -> Attempt:
    return Attempt(
        at=row.started_at,
        source=row.source.value,
        outcome=_OUTCOMES[row.state],  # type: ignore[arg-type]
        signals=DeclineSignals(**row.signals),
        reached_network=row.reached_network,
        fingerprint=row.fingerprint,
        brand=row.brand,
    )
