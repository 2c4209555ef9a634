"""What has been tried: which attempts of a case count for which card.

The one place that compares cards. A *number* is the card itself, known by its fingerprint: what a network says about
it outlives any re-entry of the same digits. The *present card* is the payment method as it stands now: a new expiry
or a fresh entry starts it anew. Refuses to know what follows from any of it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from app.retries.declines import CODES, classify
from app.retries.facts import Attempt, CaseFacts, DeclineSignals
from app.retries.meanings import Fix, Meaning

APPROVAL = CODES["stripe_error", "invoice_payment_intent_requires_action"].meaning


@dataclass(frozen=True)
class Refusal:
    """One decline, or one charge that stopped at the payer's approval, and what it means."""

    at: datetime
    meaning: Meaning


def tries(facts: CaseFacts) -> tuple[Attempt, ...]:
    """Everybody's attempts on the invoice after its first failure, oldest first."""
    return tuple(sorted(facts.attempts, key=lambda attempt: attempt.at)[1:])


def automatic_tries(facts: CaseFacts) -> tuple[Attempt, ...]:
    """The tries that nobody sat in front of; what the caps of one invoice count."""
    return tuple(attempt for attempt in tries(facts) if attempt.source != "customer")


def is_on_present_card(attempt: Attempt, facts: CaseFacts) -> bool:
    """Whether the attempt charged the payment method as it stands now; an unrecorded one counts as such."""
    if facts.new_card_at and attempt.at < facts.new_card_at:
        return False
    return _same_or_unknown(attempt.payment_method_id, facts.payment_method_id)


def is_on_same_number(attempt: Attempt, facts: CaseFacts) -> bool:
    """Whether the attempt charged the same card number, however it was entered."""
    number = facts.card.fingerprint if facts.card else None
    if number and attempt.fingerprint:
        return number == attempt.fingerprint
    return is_on_present_card(attempt, facts)


def _same_or_unknown(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other


def has_untried_card(facts: CaseFacts) -> bool:
    """Whether a card has been put in place that nobody has charged for this invoice yet."""
    return facts.new_card_at is not None and not any(is_on_present_card(attempt, facts) for attempt in facts.attempts)


def refusals(facts: CaseFacts) -> tuple[tuple[Attempt, Refusal], ...]:
    """Every refused attempt on the invoice with its meaning, oldest first."""
    return _LAST_READ.of(facts)


class _LastRead:
    """What was read from the last facts: each rule asks about the same ones, a dozen times for one decision.

    They are frozen, so being the same object is enough, and cheaper to see than being equal.
    """

    def __init__(self) -> None:
        self._last: tuple[CaseFacts | None, tuple[tuple[Attempt, Refusal], ...]] = None, ()

    def of(self, facts: CaseFacts) -> tuple[tuple[Attempt, Refusal], ...]:
        """The refusals of `facts`."""
        known, found = self._last
        if known is not facts:
            found = _read_refusals(facts)
            self._last = facts, found
        return found


_LAST_READ = _LastRead()


def _read_refusals(facts: CaseFacts) -> tuple[tuple[Attempt, Refusal], ...]:
    refused = (attempt for attempt in facts.attempts if attempt.outcome in ("declined", "requires_action"))
    ordered = sorted(refused, key=lambda attempt: attempt.at)
    return tuple((attempt, Refusal(attempt.at, _meaning(attempt, facts))) for attempt in ordered)


def _meaning(attempt: Attempt, facts: CaseFacts) -> Meaning:
    # The same two digits mean different things to different networks: an earlier card's code is not read by this one's.
    present = facts.card.brand if facts.card and is_on_same_number(attempt, facts) else None
    meaning = classify(attempt.signals, attempt.brand or present)
    if attempt.outcome == "declined" or meaning.is_absolute:
        return meaning
    return replace(APPROVAL, earliest_after=meaning.earliest_after)


def last_refusal(facts: CaseFacts) -> Refusal | None:
    """The newest refusal on the invoice, of whichever card."""
    known = refusals(facts)
    return known[-1][1] if known else None


def refusals_of_present_card(facts: CaseFacts) -> tuple[Refusal, ...]:
    """Refusals on this invoice of the payment method as it stands now, oldest first."""
    return tuple(refusal for attempt, refusal in refusals(facts) if is_on_present_card(attempt, facts))


def refusals_of_number(facts: CaseFacts) -> tuple[Refusal, ...]:
    """Refusals of the same card number, on this invoice and on every other one of the last 30 days, oldest first."""
    here = [refusal for attempt, refusal in refusals(facts) if is_on_same_number(attempt, facts)]
    brand = facts.card.brand if facts.card else None
    known = {refusal.at for refusal in here}
    elsewhere = [
        Refusal(use.at, classify(use.signals, brand))
        for use in facts.card_attempts
        if _was_refused(use.signals) and use.at not in known
    ]
    return tuple(sorted((*here, *elsewhere), key=lambda refusal: refusal.at))


def _was_refused(signals: DeclineSignals) -> bool:
    return signals != DeclineSignals() and signals.outcome_type != "authorized"


def uses_of_number(facts: CaseFacts) -> tuple[datetime, ...]:
    """When the card number reached the network, over all invoices, oldest first; what the budgets count."""
    here = {attempt.at for attempt in facts.attempts if attempt.reached_network and is_on_same_number(attempt, facts)}
    return tuple(sorted(here | {use.at for use in facts.card_attempts}))


def lost_consent(facts: CaseFacts) -> Refusal | None:
    """The withdrawal of consent that is still in force: it stops every card until the payer gives one anew."""
    withdrawn = [refusal for _, refusal in refusals(facts) if refusal.meaning.fix is Fix.NEW_CONSENT]
    given_anew = facts.new_card_at if facts.new_card_by == "payer" else None
    standing = [refusal for refusal in withdrawn if given_anew is None or refusal.at >= given_anew]
    return standing[-1] if standing else None
