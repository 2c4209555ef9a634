"""Whether a customer's access should stay, as a value: pure, from facts, with no rows and no clock.

Speaks of payments alone. What is not known is never a reason to take access away: everything that is not surely ended,
paused or downgraded is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from app.vocabulary import ENDED_SUBSCRIPTIONS, OPEN_CASE_STATES, CaseState, FinalActionKind, FinalActionState

_NEVER = datetime.max.replace(tzinfo=UTC)


class Access(StrEnum):
    """What the operator's app should allow: all, what the smaller plan or a pause leaves, or nothing."""

    KEEP = "keep"
    LIMIT = "limit"
    END = "end"


class Why(StrEnum):
    """The reason of a verdict; programs may decide by it."""

    NO_OPEN_CASE = "no_open_case"
    IN_RECOVERY = "in_recovery"
    ON_HOLD = "on_hold"
    IN_GRACE = "in_grace"
    FINAL_ACTION_DUE = "final_action_due"
    LEFT_ALONE = "left_alone"
    ENDS_AT_PERIOD_END = "ends_at_period_end"
    DOWNGRADED = "downgraded"
    PAUSED = "paused"
    UNPAID_AT_STRIPE = "unpaid_at_stripe"
    SUBSCRIPTION_ENDED = "subscription_ended"
    UNKNOWN_SUBSCRIPTION = "unknown_subscription"
    UNKNOWN_CUSTOMER = "unknown_customer"


EXPLANATIONS = {
    Why.NO_OPEN_CASE: "No payment is in trouble.",
    Why.IN_RECOVERY: "A payment failed and is being recovered; access stays meanwhile.",
    Why.ON_HOLD: "A payment failed and its recovery is on hold (a promise, a snooze or a dispute); access stays.",
    Why.IN_GRACE: "A payment could not be recovered in time; access stays until the grace is over.",
    Why.FINAL_ACTION_DUE: "The grace is over and the final action is due but not done yet; access stays until it is.",
    Why.LEFT_ALONE: "A payment is open, and the campaign takes nothing from this subscription.",
    Why.ENDS_AT_PERIOD_END: "The subscription does not renew; it is good until the end of its period.",
    Why.DOWNGRADED: "The subscription is on the smaller plan that its campaign ends with, or that the customer chose.",
    Why.PAUSED: "The subscription is paused, by the end of its campaign or by the customer's choice.",
    Why.UNPAID_AT_STRIPE: "Stripe has given the subscription up as unpaid, and no campaign is working on it.",
    Why.SUBSCRIPTION_ENDED: "The subscription has ended at Stripe.",
    Why.UNKNOWN_SUBSCRIPTION: "Recoup has heard nothing of this subscription; nothing speaks against it.",
    Why.UNKNOWN_CUSTOMER: "Recoup has never heard of this customer; nothing speaks against them.",
}
CONSEQUENCES = {
    FinalActionKind.CANCEL_NOW: Access.END,
    FinalActionKind.CANCEL_AT_PERIOD_END: Access.END,
    FinalActionKind.DOWNGRADE: Access.LIMIT,
    FinalActionKind.PAUSE: Access.LIMIT,
}
_RANKS = {Access.END: 0, Access.LIMIT: 1, Access.KEEP: 2}


@dataclass(frozen=True)
class Verdict:
    """`access` holds until `until` as things stand (None: no end is known), when it becomes `then`."""

    access: Access
    why: Why
    until: datetime | None = None
    then: Access | None = None
    case_id: UUID | None = None


@dataclass(frozen=True)
class Plan:
    """A subscription as Stripe was last heard to have it."""

    status: str
    price_id: str | None = None
    period_ends_at: datetime | None = None
    is_ending: bool = False
    is_paused: bool = False


@dataclass(frozen=True)
class Taken:
    """A final action that was begun, or is done. `has_changed` where it took something from the subscription."""

    kind: FinalActionKind
    state: FinalActionState
    has_changed: bool
    is_chosen: bool = False
    price_id: str | None = None
    resumes_at: datetime | None = None


@dataclass(frozen=True)
class Debt:
    """One case. `ends_at` is when `action`, which is foreseen for it, will be taken; a hold without end has no
    `held_until`."""

    case_id: UUID
    state: CaseState
    action: FinalActionKind | None = None
    ends_at: datetime | None = None
    is_end_planned: bool = False
    is_left_alone: bool = False
    is_held: bool = False
    held_until: datetime | None = None
    taken: Taken | None = None


def of_subscription(plan: Plan, debts: Iterable[Debt], now: datetime) -> Verdict:
    """The strictest of what the subscription's own state and its cases come to."""
    if plan.status in ENDED_SUBSCRIPTIONS:
        return Verdict(Access.END, Why.SUBSCRIPTION_ENDED)
    found = [verdict for debt in debts if (verdict := of_debt(debt, plan, now))]
    if plan.is_ending and plan.period_ends_at and plan.period_ends_at > now:
        found.append(Verdict(Access.KEEP, Why.ENDS_AT_PERIOD_END, plan.period_ends_at, Access.END))
    if not found:
        is_unpaid = plan.status == "unpaid"
        return Verdict(Access.LIMIT, Why.UNPAID_AT_STRIPE) if is_unpaid else Verdict(Access.KEEP, Why.NO_OPEN_CASE)
    return min(found, key=_order)


def of_customer(verdicts: Iterable[Verdict]) -> Verdict:
    """The kindest of several: who has one subscription in order is no stranger. Without any, access is kept."""
    return max(verdicts, key=_order, default=Verdict(Access.KEEP, Why.NO_OPEN_CASE))


def of_debt(debt: Debt, plan: Plan, now: datetime) -> Verdict | None:
    """What one case comes to; None where it says nothing (any more)."""
    if debt.taken is not None and debt.taken.has_changed:
        return _after(debt, debt.taken, plan, now)
    if debt.taken is not None and debt.taken.state is FinalActionState.INTENDED:
        return Verdict(Access.KEEP, Why.FINAL_ACTION_DUE, case_id=debt.case_id)
    if debt.state in OPEN_CASE_STATES:
        return _while_open(debt, plan)
    if debt.state is not CaseState.EXHAUSTED:
        return None
    return _in_grace(debt, plan)


def _after(debt: Debt, taken: Taken, plan: Plan, now: datetime) -> Verdict | None:
    """What was taken counts as long as it is so at Stripe, and until it is paid; a choice of the customer's own stays.

    The end at the end of a period is told by the subscription itself.
    """
    is_undone = taken.state is FinalActionState.RESTORED
    if is_undone or (debt.state is CaseState.RECOVERED and not taken.is_chosen):
        return None
    if taken.kind is FinalActionKind.CANCEL_NOW:
        return Verdict(Access.END, Why.SUBSCRIPTION_ENDED, case_id=debt.case_id)
    if taken.kind is FinalActionKind.DOWNGRADE and plan.price_id == taken.price_id:
        return Verdict(Access.LIMIT, Why.DOWNGRADED, case_id=debt.case_id)
    if taken.kind is FinalActionKind.PAUSE and plan.is_paused:
        resumes_at = taken.resumes_at if taken.resumes_at and taken.resumes_at > now else None
        return Verdict(Access.LIMIT, Why.PAUSED, resumes_at, Access.KEEP if resumes_at else None, debt.case_id)
    return None


def _while_open(debt: Debt, plan: Plan) -> Verdict:
    if debt.is_left_alone:
        return Verdict(Access.KEEP, Why.LEFT_ALONE, case_id=debt.case_id)
    why = Why.ON_HOLD if debt.is_held else Why.IN_RECOVERY
    outlasts = debt.is_held and (debt.held_until is None or (debt.ends_at and debt.held_until > debt.ends_at))
    return Verdict(Access.KEEP, why, case_id=debt.case_id) if outlasts else _until_the_end(debt, plan, why)


def _in_grace(debt: Debt, plan: Plan) -> Verdict:
    if not debt.is_end_planned:
        return Verdict(Access.KEEP, Why.LEFT_ALONE, case_id=debt.case_id)
    if debt.ends_at is None:
        return Verdict(Access.KEEP, Why.FINAL_ACTION_DUE, case_id=debt.case_id)
    return _until_the_end(debt, plan, Why.IN_GRACE)


def _until_the_end(debt: Debt, plan: Plan, why: Why) -> Verdict:
    then = CONSEQUENCES.get(debt.action) if debt.action else None
    if then is None or debt.ends_at is None:
        return Verdict(Access.KEEP, why, case_id=debt.case_id)
    until: datetime | None = debt.ends_at
    if debt.action is FinalActionKind.CANCEL_AT_PERIOD_END:  # what is paid for is had to its end
        period_end = plan.period_ends_at
        until = period_end if period_end and period_end > debt.ends_at else None
    return Verdict(Access.KEEP, why, until, then if until else None, debt.case_id)


def _order(verdict: Verdict) -> tuple[int, datetime]:
    return _RANKS[verdict.access], verdict.until or _NEVER
