"""What the planner may answer: five frozen values, each with a named reason that is stored and shown.

Refuses to know how an answer is reached or carried out.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

AskKind = Literal["new_card", "approve", "details"]


class Reason(StrEnum):
    """Why the planner decided as it did. A hold keeps the words of whoever placed it instead."""

    LADDER = "ladder"
    PLANNED = "planned"
    PROMISED = "promised"
    NEW_CARD = "new_card"
    CARD_REFUSED = "card_refused"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    DETAILS_OUTDATED = "details_outdated"
    NEEDS_APPROVAL = "needs_approval"
    ISSUED_IN_INDIA = "issued_in_india"
    OUT_OF_TRIES = "out_of_tries"
    NO_SLOT_LEFT = "no_slot_left"
    NOT_WORTH_A_TRY = "not_worth_a_try"
    STRIPE_OUT_OF_TRIES = "stripe_out_of_tries"
    STRIPE_RETRIES = "stripe_retries"
    STRIPE_RETRIES_TOO = "stripe_retries_too"
    STRIPE_GAVE_UP = "stripe_gave_up"
    WINDOW_OVER = "window_over"
    ANSWER_PENDING = "answer_pending"
    PAID = "paid"
    OPERATOR_MUST_FIX = "operator_must_fix"


@dataclass(frozen=True)
class RetryAt:
    """Charge the present card at `at`; `rules` names what put the try there, the ladder's rung or the plan first."""

    at: datetime
    reason: Reason
    rules: tuple[str, ...]


@dataclass(frozen=True)
class AskCustomer:
    """Only the payer can help, by what `kind` says; decide again at any new fact or at `until`, the window's end."""

    reason: Reason
    kind: AskKind
    until: datetime


@dataclass(frozen=True)
class GiveUp:
    """No road is left: the final action is due."""

    reason: Reason


@dataclass(frozen=True)
class Hold:
    """Charge nothing before `until`, or before a new fact when it is None."""

    until: datetime | None
    reason: str


@dataclass(frozen=True)
class LeaveToStripe:
    """Stripe itself tries next; decide again at `until` unless its answer comes before."""

    until: datetime
    reason: Reason


Decision = RetryAt | AskCustomer | GiveUp | Hold | LeaveToStripe

IN_BRIEF: dict[str, str] = {
    Reason.LADDER: "the next fixed day of the campaign",
    Reason.PLANNED: "the most promising moment within the rules",
    Reason.PROMISED: "the day the customer promised",
    Reason.NEW_CARD: "a new card is tried at once",
    Reason.STRIPE_RETRIES: "Stripe tries first",
    Reason.STRIPE_RETRIES_TOO: "Stripe still plans a try of its own",
    Reason.OPERATOR_MUST_FIX: "the cause is on our side",
}


def in_brief(decision: RetryAt | Hold | LeaveToStripe) -> str:
    """Half a sentence on why a step stands where it stands, as calendars of steps show it."""
    words = IN_BRIEF.get(decision.reason, f"on hold, {decision.reason}")
    return words if isinstance(decision, RetryAt) else f"look again: {words}"
