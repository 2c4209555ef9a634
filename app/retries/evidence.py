"""What a decline says about its cause, beyond what it permits: the group its code belongs to, the day an issuer named.

Refuses to know what follows from either.
"""

from datetime import datetime

from app.retries.history import Refusal
from app.retries.hypotheses import GROUPS
from app.retries.meanings import CustomerReason, DeclineClass, Meaning

LIMIT_CODES = frozenset(
    "stripe_decline:card_velocity_exceeded stripe_decline:withdrawal_count_limit_exceeded "
    "stripe_error:card_decline_rate_limit_exceeded visa:61 visa:65 mastercard:61 mastercard:65 discover:61 "
    "discover:65".split()
)
NO_VERDICT = frozenset(("visa:05", "mastercard:05", "stripe_decline:do_not_honor", "stripe_decline:call_issuer"))


def group_of(meaning: Meaning) -> int:
    """The number in GROUPS that a decline of this meaning belongs to; unknown codes count as generic."""
    return GROUPS.index(_group(meaning))


def _group(meaning: Meaning) -> str:
    if meaning.deciding_signal in LIMIT_CODES:
        return "limit"
    if meaning.decline_class is DeclineClass.SOFT_FAST:
        return "technical"
    if meaning.customer_reason is CustomerReason.NO_FUNDS:
        return "no_funds"
    if meaning.decline_class is DeclineClass.FRAUD:
        return "risk"
    return "opaque" if meaning.deciding_signal in NO_VERDICT else "generic"


def day_named_by_issuer(refusal: Refusal) -> datetime | None:
    """When the issuer expects money, if it said so: Mastercard's advice codes 24 to 30 come with "not enough money"."""
    meaning = refusal.meaning
    is_advice = meaning.deciding_signal.startswith("mastercard_advice:")
    if not is_advice or meaning.customer_reason is not CustomerReason.NO_FUNDS or meaning.earliest_after is None:
        return None
    return refusal.at + meaning.earliest_after
