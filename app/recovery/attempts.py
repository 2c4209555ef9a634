"""Charges seen at Stripe written down as attempts, and what each of them means to the case.

A charge is known by its id for ever. One that our own request made is joined to the attempt that asked for it.
"""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy.orm import Session

from app.models import ChargeAttempt, RecoveryCase
from app.recovery import cases, planning, showing
from app.recovery.cases import Happened
from app.recovery.facts import attempts_of, find_method, to_decline_signals
from app.recovery.reading import CLOCKS_DIFFER, Reading
from app.retries.declines import DeclineClass, Fix, Meaning, classify
from app.stripe_gateway.snapshots import CardSnapshot, ChargeSnapshot, Signals
from app.vocabulary import AttemptSource, AttemptState, EntryKind, Fact

NOT_SENT = "not_sent_to_network"


def import_charges(session: Session, case: RecoveryCase, reading: Reading, now: datetime) -> None:
    """Write every charge of a reading that is not written yet, and record what the failed ones mean."""
    known = attempts_of(session, case)
    by_charge = {attempt.charge_id: attempt for attempt in known}
    for charge in reading.charges:
        if charge.id in by_charge or charge.status == "pending":
            continue
        if find_unanswered(known, charge) is not None:
            continue
        ours = _ours_without_a_charge(known, charge)
        if ours is not None:
            ours.charge_id = charge.id
            continue
        attempt = _write(session, case, charge, _source(reading, known))
        known.append(attempt)
        if attempt.state is AttemptState.DECLINED:
            record_decline(session, case, attempt, charge.created, now)
    _note_approval_wanted(session, case, reading, now)
    _note_new_card(session, case, reading, known, now)


def decline_class_in(reading: Reading) -> str | None:
    """How the newest failed charge of a reading was declined, before anything of it is written; None where none was."""
    failed = [charge for charge in reading.charges if charge.status == "failed"]
    if not failed:
        wants_approval = reading.intent is not None and reading.intent.status == "requires_action"
        return DeclineClass.AUTHENTICATION.value if wants_approval else None
    newest = max(failed, key=lambda charge: charge.created)
    brand = newest.card.brand if newest.card else None
    return classify(to_decline_signals(newest.signals), brand).decline_class.value


def find_unanswered(known: list[ChargeAttempt], charge: ChargeSnapshot) -> ChargeAttempt | None:
    """The open attempt of ours that a charge made since may be the answer to; whoever gets the answer says so.

    What was charged before it had been read before it, so nothing is lost by allowing for clocks that differ.
    """
    for attempt in known:
        is_open = attempt.state in (AttemptState.CHARGING, AttemptState.UNKNOWN)
        if is_open and charge.created >= attempt.started_at - CLOCKS_DIFFER:
            return attempt
    return None


def record_decline(session: Session, case: RecoveryCase, attempt: ChargeAttempt, at: datetime, now: datetime) -> None:
    """Tell the case what a declined attempt means: it may be tried again, or only the payer can help."""
    meaning = classify(to_decline_signals(Signals(**attempt.signals)), attempt.brand)
    needs_payer = not meaning.may_retry and meaning.fix is not Fix.OPERATOR
    fact = Fact.DEAD_CARD if needs_payer else Fact.DECLINED
    happened = Happened(
        fact, f"declined:{attempt.charge_id or attempt.id}", at, meaning_sentence(meaning), _told(meaning)
    )
    is_newest = all(other.started_at <= attempt.started_at for other in attempts_of(session, case))
    if is_newest:
        cases.record(session, case, happened, now)
    else:
        # an older try that came to light late: it counts for budgets and stands on the timeline, but moves nothing
        cases.append(session, case, EntryKind.FACT, fact, happened.key, at, now, happened.summary, happened.data)
    if needs_payer:
        planning.write_at_once(session, case, now)


def meaning_sentence(meaning: Meaning) -> str:
    """What a decline means, for the operator's timeline."""
    verdict = "may be tried again" if meaning.may_retry else "only the customer can fix this"
    if meaning.fix is Fix.OPERATOR:
        verdict = "the cause lies in your own settings at Stripe, no card can cure it"
    return f"{meaning.description or 'Declined'} ({meaning.deciding_signal}); {verdict}."


def method_columns(
    session: Session, case: RecoveryCase, method_id: str | None, card: CardSnapshot | None
) -> dict[str, str | None]:
    """Fingerprint and brand for an attempt: from the charge itself, else from the payment method as projected."""
    if card and card.fingerprint:
        return {"fingerprint": card.fingerprint, "brand": card.brand}
    row = find_method(session, case, method_id)
    return {"fingerprint": row.fingerprint if row else None, "brand": row.brand if row else None}


def _told(meaning: Meaning) -> dict[str, str]:
    return {
        "decline_class": meaning.decline_class.value,
        "customer_reason": meaning.customer_reason.value,
        "signal": meaning.deciding_signal,
    }


def _ours_without_a_charge(known: list[ChargeAttempt], charge: ChargeSnapshot) -> ChargeAttempt | None:
    """The answered attempt that made this charge; a refused one made none, however close to it the next one began.

    Answers of newer versions name no charge. An invoice is paid once, so a success needs no moment to be known by; a
    decline is told from others by its moment, as well as Stripe's clock and ours agree.
    """
    for attempt in known:
        answered = attempt.answered_at
        if attempt.source is not AttemptSource.RECOUP or attempt.charge_id is not None or answered is None:
            continue
        if charge.status == "succeeded":
            if attempt.state is AttemptState.SUCCEEDED:
                return attempt
            continue
        is_in_time = attempt.started_at - CLOCKS_DIFFER <= charge.created <= answered + CLOCKS_DIFFER
        if attempt.state is AttemptState.DECLINED and is_in_time:
            return attempt
    return None


def _write(session: Session, case: RecoveryCase, charge: ChargeSnapshot, source: AttemptSource) -> ChargeAttempt:
    attempt = ChargeAttempt(
        organization_id=case.organization_id,
        connection_id=case.connection_id,
        case_id=case.id,
        source=source,
        state=AttemptState.SUCCEEDED if charge.status == "succeeded" else AttemptState.DECLINED,
        payment_method_id=charge.payment_method_id,
        amount=charge.amount,
        currency=charge.currency,
        started_at=charge.created,
        answered_at=charge.created,
        charge_id=charge.id,
        payment_intent_id=charge.payment_intent_id,
        signals=asdict(charge.signals),
        reached_network=charge.signals.network_status != NOT_SENT,
        **method_columns(session, case, charge.payment_method_id, charge.card),
    )
    session.add(attempt)
    session.flush()
    return attempt


def _source(reading: Reading, known: list[ChargeAttempt]) -> AttemptSource:
    """Whose the next charge is that is not ours: `attempt_count` counts Stripe's automatic tries, the first among them.

    Whatever goes beyond was the payer. What was read earlier keeps the name that it got then.
    """
    automatic = sum(attempt.source is AttemptSource.STRIPE for attempt in known)
    return AttemptSource.STRIPE if automatic < max(reading.invoice.attempt_count, 1) else AttemptSource.CUSTOMER


def _note_approval_wanted(session: Session, case: RecoveryCase, reading: Reading, now: datetime) -> None:
    """3-D Secure leaves no failed charge behind: the payment intent alone says that the payer must approve."""
    intent = reading.intent
    if intent is None or intent.status != "requires_action" or reading.invoice.status != "open":
        return
    told = {"decline_class": DeclineClass.AUTHENTICATION.value, "customer_reason": "needs_approval", "ask": "approve"}
    summary = "The bank wants the customer to approve this payment."
    happened = Happened(Fact.DEAD_CARD, f"approval:{intent.id}:{len(reading.charges)}", reading.read_at, summary, told)
    if cases.record(session, case, happened, now):
        planning.write_at_once(session, case, now)


def _note_new_card(
    session: Session, case: RecoveryCase, reading: Reading, known: list[ChargeAttempt], now: datetime
) -> None:
    """The card that would be charged now is not one that has failed here: somebody put a new one in place."""
    method = reading.payment_method
    tried = {attempt.payment_method_id for attempt in known if attempt.payment_method_id}
    if method is None or not tried or method.id in tried or reading.invoice.status != "open":
        return
    note_new_card(session, case, method.id, reading.read_at, now, "A new card is in place.")


def note_new_card(
    session: Session, case: RecoveryCase, card_id: str, at: datetime, now: datetime, summary: str, edition: str = ""
) -> bool:
    """Record a new card, or with `edition` (its expiry) one renewed by its bank; False when that is known already."""
    given_for = {} if edition else showing.told_of(session, case, card_id)
    data = {"card": card_id, "by": "updater" if edition else "payer", **given_for}
    happened = Happened(Fact.NEW_CARD, f"new_card:{card_id}{edition}", at, summary, data)
    return cases.record(session, case, happened, now)
