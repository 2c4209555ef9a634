"""The account's settings, as in Stripe's Dashboard: its name, its own retries and what follows them."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from app.sandbox.checks import Wish, checked
from app.sandbox.ledger import Ledger

HOUR, DAY = 3600, 86_400

# How long after each failure Stripe's default schedule tried again, in minutes: a two-week run recorded with a test
# clock.
SMART_MINUTES = (2687, 2573, 2673, 2432, 2596, 2559, 2381, 2280)

_DESCRIPTOR_LENGTH = 22  # and none of the signs left out below: Stripe's rules for what a bank statement may carry
_NOT_ON_STATEMENTS = str.maketrans("", "", "<>\\'\"*")


class Policy(Wish):
    """`business_name` is the merchant that payers see. `retry_days` are days between tries, for `custom`.

    `end_behavior` is what becomes of a subscription after the last.
    """

    retries: Literal["smart", "off", "custom"] = "smart"
    retry_days: list[Annotated[float, Field(gt=0, le=60)]] = Field(default_factory=list)
    end_behavior: Literal["cancel", "unpaid", "past_due"] = "cancel"
    attach_checks_card: bool = False
    business_name: Annotated[str, Field(min_length=1, max_length=100)] = "Lumen Cloud"

    @model_validator(mode="before")
    @classmethod
    def _days_in_one_word(cls, given: dict[str, Any]) -> dict[str, Any]:
        """`retries` may carry its days: `custom:3,5,7`."""
        retries = given.get("retries")
        if not isinstance(retries, str) or not retries.startswith("custom:"):
            return given
        days = [day.strip() for day in retries.removeprefix("custom:").strip("[] ").split(",")]
        return {**given, "retries": "custom", "retry_days": [day for day in days if day]}

    @model_validator(mode="after")
    def _custom_has_days(self) -> "Policy":
        if self.retries == "custom" and not self.retry_days:
            raise ValueError("custom retries need their days, such as custom:3,5,7; for none at all use off")
        return self

    @property
    def statement_descriptor(self) -> str | None:
        """How the business is called on a bank statement; None when nothing of its name can be printed there."""
        plain = self.business_name.encode("ascii", "ignore").decode().translate(_NOT_ON_STATEMENTS)
        return plain.upper()[:_DESCRIPTOR_LENGTH].strip() or None

    def gap_after(self, retries_made: int) -> int | None:
        """Seconds from a failure to the next automatic try, when `retries_made` came before.

        None when there is none.
        """
        if self.retries == "off":
            return None
        gaps = (
            [minutes * 60 for minutes in SMART_MINUTES]
            if self.retries == "smart"
            else [int(days * DAY) for days in self.retry_days]
        )
        return gaps[retries_made] if retries_made < len(gaps) else None


def load(ledger: Ledger) -> Policy:
    """The account's present policy; a setting that an older sandbox kept and this one does not know is left out."""
    kept = ledger.find("_policy", "account") or {}
    return Policy(**{name: kept[name] for name in Policy.model_fields if name in kept})


def change(ledger: Ledger, **changes: Any) -> Policy:
    """Set some of the policy's fields; raises a 400 for a value that means nothing."""
    policy = checked(Policy, {**load(ledger).model_dump(), **changes})
    ledger.save({"id": "account", **policy.model_dump()}, "_policy")
    return policy
