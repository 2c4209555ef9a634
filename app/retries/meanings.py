"""The words in which a decline is understood, whatever code said it.

Refuses to know any code.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class DeclineClass(StrEnum):
    """Why a charge was refused, as far as it matters for what to do next."""

    NETWORK_NEVER = "network_never"
    HARD = "hard"
    AUTHENTICATION = "authentication"
    CUSTOMER_ACTION = "customer_action"
    FRAUD = "fraud"
    SOFT_FAST = "soft_fast"
    SOFT_TIMED = "soft_timed"
    SOFT_OPAQUE = "soft_opaque"
    MERCHANT_CONFIG = "merchant_config"


class CustomerReason(StrEnum):
    """What the customer may be told. Lost, stolen and fraud are all `bank_declined`: Stripe forbids to say more."""

    NO_FUNDS = "no_funds"
    BANK_DECLINED = "bank_declined"
    DETAILS_OUTDATED = "details_outdated"
    TEMPORARY = "temporary"
    NEEDS_APPROVAL = "needs_approval"
    UNKNOWN = "unknown"


class Fix(StrEnum):
    """What has to happen before a charge can work again."""

    NOTHING = "nothing"
    NEW_CARD = "new_card"
    NEW_CONSENT = "new_consent"
    DETAILS = "details"
    APPROVAL = "approval"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Meaning:
    """What one decline means.

    `may_retry` concerns the same card with the same details. `is_absolute` marks an answer that no later answer for
    the same card undoes. `earliest_after` is the least wait after this decline, `max_more` the most tries after it.
    `deciding_signal` is `table:code`, such as `visa:51`. `description` is for the operator and may name what the
    customer must not read; the customer gets `customer_reason` alone.
    """

    decline_class: DeclineClass
    may_retry: bool
    needs_new_card: bool
    customer_reason: CustomerReason
    earliest_after: timedelta | None
    max_more: int | None
    deciding_signal: str
    fix: Fix = Fix.NOTHING
    is_absolute: bool = False
    description: str = ""
