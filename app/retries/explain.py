"""Why the planner decided so, in one or two plain English sentences for the operator.

Never for the customer: it names what the bank said. Refuses to decide anything.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from app.retries.budgets import budgets
from app.retries.calendars import find_zone
from app.retries.decisions import AskCustomer, Decision, GiveUp, Hold, LeaveToStripe, Reason, RetryAt
from app.retries.declines import CODES, UNKNOWN
from app.retries.exploration import draw, tickets
from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.history import automatic_tries, last_refusal, uses_of_number
from app.retries.knowledge import SHIPPED, Knowledge
from app.retries.moments import zone_for
from app.retries.network_rules import invoice_cap, spent_cap_of_invoice, spent_cap_of_number
from app.retries.plan_words import alternatives, chance_at, ruled_out, why
from app.retries.planning import make_plan

WEEKDAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

ASKED = {
    Reason.CARD_REFUSED: "This card must not be tried again; the customer is asked for another one",
    Reason.CONSENT_WITHDRAWN: "The cardholder withdrew consent; only a card that they give anew may be charged",
    Reason.DETAILS_OUTDATED: "The card's details are out of date; the customer is asked to renew them",
    Reason.NEEDS_APPROVAL: "The bank wants the customer to approve this payment; the customer is asked to",
    Reason.ISSUED_IN_INDIA: "Cards issued in India cannot be tried without their holder; the customer is asked to pay",
    Reason.OUT_OF_TRIES: "No tries are left; the customer is asked for another card",
    Reason.NO_SLOT_LEFT: "No further try fits before the end; the customer is asked for another card",
    Reason.NOT_WORTH_A_TRY: "No further try is worth its cost; the customer is asked for another card",
    Reason.STRIPE_OUT_OF_TRIES: "Stripe plans no further try; the customer is asked for another card",
}
ENDED = {
    Reason.WINDOW_OVER: "The time for recovery is over",
    Reason.STRIPE_GAVE_UP: "The subscription was ended or marked unpaid for want of payment, so nothing more is tried",
}
HELD: dict[str, str] = {
    Reason.PAID: "The invoice is paid; nothing is left to try",
    Reason.ANSWER_PENDING: "The answer to the last charge is still open; nothing is tried before it is known",
    Reason.OPERATOR_MUST_FIX: "The cause lies on our side and no card can cure it; put it right, then retry by hand",
}
MOVED = {
    "explored": "drawn by lot from the best days, to learn what they are worth (on average for {loss:.0%} of it)",
    "technical_gap": "a little time is given to a bank that was out of reach",
    "min_gap": "{gap:g} hours lie between two tries",
    "local_hours": "tries go out from {opening:02d}:00 to {closing:02d}:00 local time",
    "budget card_30d": "this card's {card_30d} tries in 30 days were used up",
    "budget visa_30d": "Visa's {visa_30d} tries in 30 days were used up",
    "budget mastercard_24h": "Mastercard's {mastercard_24h} tries in 24 hours were used up",
    "overdue": "the planned moment has passed",
}
SPENT = {
    "ladder_end": "the ladder ends with step {cap}",
    "per_invoice": "the cap for one invoice is {cap}",
    "bank_debit": "the cap for a bank debit is {cap}",
    "debit_no_funds": "the cap for a debit card without money is {cap}",
}


def explain(
    decision: Decision, facts: CaseFacts, policy: RetryPolicy, now: datetime, knowledge: Knowledge = SHIPPED
) -> str:
    """One or two sentences on `decision`, which `decide` gave for the same facts, policy, moment and knowledge.

    Dates are in the payer's zone when it is known, else in UTC, and say so.
    """
    if isinstance(decision, RetryAt) and decision.reason == Reason.PLANNED:
        return _explain_plan(decision, facts, policy, now, knowledge)
    first = _first_sentence(decision, facts, policy, now)
    second = _last_answer(decision, facts, policy)
    return f"{first}. {second}." if second else f"{first}."


def _first_sentence(decision: Decision, facts: CaseFacts, policy: RetryPolicy, now: datetime) -> str:
    day = _dates_for(find_zone(facts.timezone))
    match decision:
        case RetryAt():
            when = "now" if decision.at <= now else f"on {day(decision.at)}"
            name = "The new card is tried" if decision.reason == Reason.NEW_CARD else "The next try is"
            name = "The customer promised to pay; the card is tried" if decision.reason == Reason.PROMISED else name
            return f"{name} {when}: {_counts(decision, facts, policy)}"
        case AskCustomer():
            return f"{ASKED[decision.reason]}, until {day(decision.until)}"
        case GiveUp():
            return f"{ENDED[decision.reason]}; the final action is due"
        case LeaveToStripe():
            conflict = " although Recoup drives here; turn Stripe's retries off, two must not try at once"
            tail = conflict if decision.reason == Reason.STRIPE_RETRIES_TOO else ""
            return f"Stripe tries next, expected by {day(decision.until)}{tail}"
        case Hold():
            return _held(decision, day)
        case _:
            assert_never(decision)


def _explain_plan(decision: RetryAt, facts: CaseFacts, policy: RetryPolicy, now: datetime, knowledge: Knowledge) -> str:
    plan, day = make_plan(facts, policy, knowledge), _dates_for(zone_for(facts))
    drawn = draw(tickets(plan, policy, facts.amount_minor), facts).option.at
    when = "now" if decision.at <= now else f"on {day(decision.at)}"
    chance = chance_at(plan, drawn)
    expected = f" with a chance of {chance:.0%}" if chance is not None else ""
    details = [alternatives(plan, drawn, day), _counts(decision, facts, policy)]
    details += ruled_out(plan, day, lambda rule: _moved_by(rule, policy))
    details += [_moved_by(rule, policy) for rule in decision.rules if rule in ("explored", "overdue", "local_hours")]
    return f"The next try is {when}{expected}: {why(plan)}. {_raised('; '.join(details))}."


def _raised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _held(decision: Hold, day: Callable[[datetime], str]) -> str:
    if decision.reason in HELD:
        return HELD[decision.reason]
    until = f"until {day(decision.until)}" if decision.until else "until it is lifted"
    return f"On hold {until}: {decision.reason}"


def _counts(decision: RetryAt, facts: CaseFacts, policy: RetryPolicy) -> str:
    cap, _ = invoice_cap(facts, policy)
    number = len(automatic_tries(facts)) + 1
    of_invoice = f"try {number} of {cap} on this invoice, " if decision.reason != Reason.NEW_CARD else ""
    ours = budgets(facts.card, uses_of_number(facts), policy)[0]
    return f"{of_invoice}{ours.used(decision.at)} of {ours.cap} tries on this card in 30 days used before it"


def _last_answer(decision: Decision, facts: CaseFacts, policy: RetryPolicy) -> str:
    refusal = last_refusal(facts)
    answer = (
        f"Last answer: {_lowered(refusal.meaning.description)} ({refusal.meaning.deciding_signal})" if refusal else ""
    )
    return "; ".join(part for part in (answer, *_details(decision, facts, policy)) if part)


def _details(decision: Decision, facts: CaseFacts, policy: RetryPolicy) -> list[str]:
    if isinstance(decision, RetryAt):
        return [_moved_by(rule, policy) for rule in decision.rules[1:]]
    if isinstance(decision, AskCustomer) and decision.reason == Reason.OUT_OF_TRIES:
        return [_spent_by(facts, policy)]
    return []


def _moved_by(rule: str, policy: RetryPolicy) -> str:
    if rule.startswith("wait_after "):
        return f"the wait it asks for ({rule.removeprefix('wait_after ')}) is kept"
    return MOVED[rule].format(
        gap=policy.min_gap_hours,
        opening=policy.open_hour,
        closing=policy.close_hour,
        loss=policy.exploration_loss,
        card_30d=policy.per_card_30d,
        visa_30d=policy.visa_30d,
        mastercard_24h=policy.mastercard_24h,
    )


def _spent_by(facts: CaseFacts, policy: RetryPolicy) -> str:
    cap, rule = invoice_cap(facts, policy)
    if spent_cap_of_invoice(facts, policy):
        return SPENT[rule].format(cap=cap)
    return f"only a few tries are allowed after {_signal_of(spent_cap_of_number(facts))}"


def _signal_of(cap_rule: str | None) -> str:
    signal = (cap_rule or "").removeprefix("cap_after ")
    table, _, code = signal.partition(":")
    row = CODES.get((table, code))
    return f"'{_lowered(row.meaning.description if row else UNKNOWN.description)}'"


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _dates_for(zone: ZoneInfo | None) -> Callable[[datetime], str]:
    def written(at: datetime) -> str:
        local = at.astimezone(zone or UTC)
        return f"{WEEKDAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]}, {local:%H:%M} ({zone or 'UTC'})"

    return written
