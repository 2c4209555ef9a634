"""The rules that no plan may break: what closes a card, what makes it wait, and when its tries are used up.

Each rule only narrows; none knows of ladders, models or hours of the day. Sources: Visa Core Rules 18 April 2026
table 7-2, Mastercard's advice codes and Excessive Authorization Attempts, Stripe's list of codes that it does not
charge again, and Stripe's advice to leave two to three days between tries of one payment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from app.retries.budgets import budgets
from app.retries.facts import Attempt, CaseFacts, RetryPolicy
from app.retries.history import (
    Refusal,
    automatic_tries,
    is_on_same_number,
    lost_consent,
    refusals,
    refusals_of_number,
    refusals_of_present_card,
    tries,
    uses_of_number,
)
from app.retries.meanings import CustomerReason, DeclineClass, Fix, Meaning


@dataclass(frozen=True)
class Floor:
    """No try before `at`, because of `rule`."""

    at: datetime
    rule: str


def window_end(facts: CaseFacts, policy: RetryPolicy) -> datetime:
    """The moment at which planning ends for the case."""
    return facts.failed_at + timedelta(days=policy.window_days)


def is_issued_in_india(facts: CaseFacts) -> bool:
    """Whether only the payer can pay with this card: Stripe retries no card that was issued in India."""
    return facts.card is not None and (facts.card.country or "").upper() == "IN"


def closing_refusal(facts: CaseFacts) -> Meaning | None:
    """The answer that forbids any further try of the card as it stands, None if it may be tried.

    Withdrawn consent stops every card. An absolute refusal stops the number for as long as it is remembered. Any
    other refusal stops what it was about while it is the newest word on it.
    """
    verdicts = [lost_consent(facts), _refusal_of_number(facts), _refusal_of_present_card(facts)]
    return next((verdict.meaning for verdict in verdicts if verdict), None)


def _refusal_of_number(facts: CaseFacts) -> Refusal | None:
    bound_to_number = (Fix.NEW_CARD, Fix.NEW_CONSENT)
    absolute = [
        refusal
        for refusal in refusals_of_number(facts)
        if refusal.meaning.is_absolute and refusal.meaning.fix in bound_to_number
    ]
    newest = [refusal for attempt, refusal in refusals(facts) if is_on_same_number(attempt, facts)][-1:]
    return next((refusal for refusal in (*absolute, *newest) if refusal.meaning.fix in bound_to_number), None)


def _refusal_of_present_card(facts: CaseFacts) -> Refusal | None:
    known = refusals_of_present_card(facts)
    absolute = [refusal for refusal in known if refusal.meaning.is_absolute]
    return next((refusal for refusal in (*absolute, *known[-1:]) if not refusal.meaning.may_retry), None)


def card_floors(facts: CaseFacts, policy: RetryPolicy) -> Iterator[Floor]:
    """Waits that belong to the card number: what its issuer or Stripe asked for, and budgets that are full."""
    for refusal in refusals_of_number(facts):
        if refusal.meaning.earliest_after:
            yield Floor(refusal.at + refusal.meaning.earliest_after, f"wait_after {refusal.meaning.deciding_signal}")
    for budget in budgets(facts.card, uses_of_number(facts), policy):
        free_from = budget.free_from()
        if free_from:
            yield Floor(free_from, f"budget {budget.name}")


def invoice_floors(facts: CaseFacts, policy: RetryPolicy) -> Iterator[Floor]:
    """The gap between two tries of one invoice. The first failure opens no gap: what is planned first follows it.

    After a technical refusal the gap is short, three times in a row at most: nobody has judged the payment.
    """
    past = tries(facts)
    if not past:
        return
    technical = _technical_refusals_in_a_row(facts)
    if 0 < technical <= len(policy.technical_gap_hours):
        yield Floor(past[-1].at + timedelta(hours=policy.technical_gap_hours[technical - 1]), "technical_gap")
    else:
        yield Floor(past[-1].at + timedelta(hours=policy.min_gap_hours), "min_gap")


def _technical_refusals_in_a_row(facts: CaseFacts) -> int:
    newest_first = [refusal.meaning.decline_class for _, refusal in reversed(refusals(facts))]
    return sum(1 for _ in takewhile(lambda answer: answer is DeclineClass.SOFT_FAST, newest_first))


def spent_cap_of_number(facts: CaseFacts) -> str | None:
    """The refusal of this card number that allowed only so many tries after it, if they are used up."""
    spent = [meaning for left, meaning in _capped_refusals(facts) if left <= 0]
    return f"cap_after {spent[0].deciding_signal}" if spent else None


def tries_left_of_number(facts: CaseFacts) -> int | None:
    """How many tries the refusals of this card number still allow, None if none of them said."""
    return min((left for left, _ in _capped_refusals(facts)), default=None)


def _capped_refusals(facts: CaseFacts) -> Iterator[tuple[int, Meaning]]:
    on_number = [attempt for attempt in facts.attempts if is_on_same_number(attempt, facts)]
    for attempt, refusal in refusals(facts):
        if is_on_same_number(attempt, facts) and refusal.meaning.max_more is not None:
            yield refusal.meaning.max_more - _count_after(refusal.at, on_number), refusal.meaning


def _count_after(at: datetime, attempts: list[Attempt]) -> int:
    return sum(1 for attempt in attempts if attempt.at > at)


def invoice_cap(facts: CaseFacts, policy: RetryPolicy) -> tuple[int, str]:
    """How many tries the invoice may have after its first failure, and the name of the rule that says so."""
    caps = [(policy.max_attempts, "per_invoice")]
    if policy.timing == "ladder":
        caps.append((len(policy.ladder_days), "ladder_end"))
    if facts.is_bank_debit:
        caps.append((policy.bank_debit_attempts, "bank_debit"))
    if _is_debit_without_funds(facts):
        caps.append((policy.debit_no_funds_attempts, "debit_no_funds"))
    return min(caps)


def _is_debit_without_funds(facts: CaseFacts) -> bool:
    last = refusals_of_present_card(facts)[-1:]
    is_debit = facts.card is not None and facts.card.funding == "debit"
    return is_debit and any(refusal.meaning.customer_reason is CustomerReason.NO_FUNDS for refusal in last)


def spent_cap_of_invoice(facts: CaseFacts, policy: RetryPolicy) -> str | None:
    """The cap on automatic tries of this invoice that is used up, None while one is left."""
    cap, rule = invoice_cap(facts, policy)
    return rule if len(automatic_tries(facts)) >= cap else None
