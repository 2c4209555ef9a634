"""The decision about one unpaid invoice: try the card, ask the payer, wait, leave it to Stripe, or give up.

Pure: the same facts, policy and moment give the same answer. Refuses to carry anything out, and to remember.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from app.retries.calendars import find_zone, into_open_hours
from app.retries.decisions import AskCustomer, AskKind, Decision, GiveUp, Hold, LeaveToStripe, Reason, RetryAt
from app.retries.facts import CaseFacts, NaiveMoment, RetryPolicy
from app.retries.following import Considered, follow_plan
from app.retries.history import automatic_tries, has_untried_card
from app.retries.knowledge import SHIPPED, Knowledge
from app.retries.ladder import rung, spread_after_opening
from app.retries.meanings import Fix
from app.retries.network_rules import (
    Floor,
    card_floors,
    closing_refusal,
    invoice_floors,
    is_issued_in_india,
    spent_cap_of_invoice,
    spent_cap_of_number,
    window_end,
)

STRIPE_IS_LATE = timedelta(hours=1)

ASK_FOR: dict[Fix, tuple[Reason, AskKind]] = {
    Fix.NEW_CARD: (Reason.CARD_REFUSED, "new_card"),
    Fix.NEW_CONSENT: (Reason.CONSENT_WITHDRAWN, "new_card"),
    Fix.DETAILS: (Reason.DETAILS_OUTDATED, "details"),
    Fix.APPROVAL: (Reason.NEEDS_APPROVAL, "approve"),
}


def decide(facts: CaseFacts, policy: RetryPolicy, now: datetime, knowledge: Knowledge = SHIPPED) -> Decision:
    """What to do next about the case, at the aware UTC moment `now`. Raises NaiveMoment.

    Call it after every new fact and when a moment it named has come; it keeps nothing between calls. At the `at` of
    its own `RetryAt` it answers `RetryAt(now)` again if no fact has come between: charge then, and only then. A new
    card is tried at once, exactly once, in both modes, even after the window and the invoice's caps: its owner gave
    it in order to be charged. Only a hold, an answer still open and the rules of the card itself stand above it.

    While the window is open a case that nothing but the payer can save gets `AskCustomer`, out of tries or not, so
    that its mails and its page go on; `GiveUp` comes when the window is over (decide again at `until` to hear it) or
    when Stripe ended it. In `observe` the tries are Stripe's and the answer is `LeaveToStripe` while it has one. In
    `drive` a try that Stripe still plans is left to Stripe too, under a reason of its own, because two must never
    retry at once. `Hold` until None waits for a fact: an answer, the end of a dispute.

    `knowledge` matters to a policy whose timing is `planned`: what the account's own cases have taught.
    """
    return consider(facts, policy, now, knowledge).decision


def consider(facts: CaseFacts, policy: RetryPolicy, now: datetime, knowledge: Knowledge = SHIPPED) -> Considered:
    """The decision as `decide` gives it, with the plan and the record behind it where a plan was made.

    Keep the record with the decision before the card is charged; `replaying.replay` makes the decision again from it.
    """
    if now.tzinfo is None:
        raise NaiveMoment(f"{now.isoformat()} has no time zone; give the planner aware UTC moments")
    settled = (
        _wait_for_others(facts, now)
        or _try_new_card(facts, policy, now)
        or _end(facts, policy, now)
        or _ask_about_card(facts, policy)
        or _leave_to_stripe(facts, policy, now)
    )
    if settled:
        return Considered(settled)
    if policy.timing == "ladder":
        return Considered(_climb(facts, policy, now))
    return follow_plan(facts, policy, now, knowledge)


def _wait_for_others(facts: CaseFacts, now: datetime) -> Decision | None:
    outcomes = {attempt.outcome for attempt in facts.attempts}
    if "approved" in outcomes:
        return Hold(None, Reason.PAID)
    if "unknown" in outcomes:
        return Hold(None, Reason.ANSWER_PENDING)
    if facts.hold_reason and (facts.hold_until is None or facts.hold_until > now):
        return Hold(facts.hold_until, facts.hold_reason)
    return None


def _try_new_card(facts: CaseFacts, policy: RetryPolicy, now: datetime) -> Decision | None:
    barred = is_issued_in_india(facts) or closing_refusal(facts) or spent_cap_of_number(facts)
    if not has_untried_card(facts) or barred:
        return None
    at, rules = _not_before(card_floors(facts, policy), now)
    if at > now and at >= window_end(facts, policy):
        return None
    return RetryAt(at, Reason.NEW_CARD, ("new_card", *rules))


def _end(facts: CaseFacts, policy: RetryPolicy, now: datetime) -> Decision | None:
    if facts.stripe_gave_up:
        return GiveUp(Reason.STRIPE_GAVE_UP)
    if now < window_end(facts, policy):
        return None
    if policy.mode == "observe" and facts.stripe_next_attempt_at:
        return LeaveToStripe(_answer_expected(facts.stripe_next_attempt_at, now), Reason.STRIPE_RETRIES)
    return GiveUp(Reason.WINDOW_OVER)


def _ask_about_card(facts: CaseFacts, policy: RetryPolicy) -> Decision | None:
    closing = closing_refusal(facts)
    if closing and closing.fix is Fix.OPERATOR:
        return Hold(window_end(facts, policy), Reason.OPERATOR_MUST_FIX)
    if closing:
        return AskCustomer(*ASK_FOR[closing.fix], window_end(facts, policy))
    if is_issued_in_india(facts):
        return AskCustomer(Reason.ISSUED_IN_INDIA, "approve", window_end(facts, policy))
    return None


def _leave_to_stripe(facts: CaseFacts, policy: RetryPolicy, now: datetime) -> Decision | None:
    planned, end = facts.stripe_next_attempt_at, window_end(facts, policy)
    if policy.mode == "observe":
        if planned is None:
            return AskCustomer(Reason.STRIPE_OUT_OF_TRIES, "new_card", end)
        return LeaveToStripe(_answer_expected(planned, now), Reason.STRIPE_RETRIES)
    if planned is None:
        return None
    return LeaveToStripe(min(_answer_expected(planned, now), end), Reason.STRIPE_RETRIES_TOO)


def _answer_expected(planned: datetime, now: datetime) -> datetime:
    return planned if planned > now else now + STRIPE_IS_LATE


def _climb(facts: CaseFacts, policy: RetryPolicy, now: datetime) -> Decision:
    end = window_end(facts, policy)
    if spent_cap_of_number(facts) or spent_cap_of_invoice(facts, policy):
        return AskCustomer(Reason.OUT_OF_TRIES, "new_card", end)
    at, rules = _next_slot(facts, policy, now)
    if at >= end:
        return AskCustomer(Reason.NO_SLOT_LEFT, "new_card", end)
    return RetryAt(at, Reason.LADDER, rules)


def _next_slot(facts: CaseFacts, policy: RetryPolicy, now: datetime) -> tuple[datetime, tuple[str, ...]]:
    number = len(automatic_tries(facts))
    wished = rung(facts, policy, number)
    floors = (*invoice_floors(facts, policy), *card_floors(facts, policy), Floor(now, "overdue"))
    allowed, rules = _not_before(floors, wished)
    hours = policy.open_hour, policy.close_hour
    spread = spread_after_opening(facts, policy, number)
    at = into_open_hours(allowed, find_zone(facts.timezone), hours, spread)
    moved = ("local_hours",) if at != allowed else ()
    return at, (f"ladder_day {policy.ladder_days[number]:g}", *rules, *moved)


def _not_before(floors: Iterable[Floor], wished: datetime) -> tuple[datetime, tuple[str, ...]]:
    """The first moment from `wished` on that no floor forbids, with the floors that moved it, latest first."""
    raised = sorted((floor for floor in floors if floor.at > wished), key=lambda floor: floor.at, reverse=True)
    return (raised[0].at if raised else wished), tuple(dict.fromkeys(floor.rule for floor in raised))
