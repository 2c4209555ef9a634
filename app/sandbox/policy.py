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


_SMART_WINDOW: Literal[14] = 14
_MOST_CUSTOM_RETRIES = 3

EndBehavior = Literal["cancel", "unpaid", "past_due"]


class Policy(Wish):
    """`business_name` is the merchant that payers see. `retry_days` are days between tries, for `custom`.

    `smart_window_days` is the length of the default schedule, and `retry_one_off` whether it holds for invoices without
    a subscription. `end_behavior` is what becomes of a subscription after the last try; `overdue_end` after
    `overdue_end_days` beyond the due date of an invoice that was sent. `upcoming_days` before a renewal its invoice is
    announced. With `billing_automations` due dates are announced too, `will_be_due_days` ahead and when they pass, and
    `invoice.payment_failed` leaves the next try to the `invoice.updated` after it. `on_dispute` is what a dispute does
    to the subscription.
    """

    retries: Literal["smart", "off", "custom"] = "smart"
    retry_days: list[Annotated[float, Field(gt=0, le=60)]] = Field(default_factory=list)
    smart_window_days: Literal[7, 14, 21, 30, 60] = _SMART_WINDOW
    retry_one_off: bool = True
    end_behavior: EndBehavior = "cancel"
    overdue_end: EndBehavior = "past_due"
    overdue_end_days: Annotated[int, Field(ge=1, le=365)] = 30
    upcoming_days: Literal[0, 3, 7, 15, 30, 45] = 7
    billing_automations: bool = False
    will_be_due_days: Annotated[int, Field(ge=1, le=60)] = 3
    on_dispute: Literal["nothing", "cancel"] = "nothing"
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
        if len(self.retry_days) > _MOST_CUSTOM_RETRIES:
            raise ValueError(
                f"retry_days: a custom schedule has at most {_MOST_CUSTOM_RETRIES} retries, each so many days after"
                " the one before, such as custom:3,5,7"
            )
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
            [minutes * 60 * self.smart_window_days // _SMART_WINDOW for minutes in SMART_MINUTES]
            if self.retries == "smart"
            else [int(days * DAY) for days in self.retry_days]
        )
        return gaps[retries_made] if retries_made < len(gaps) else None


def load(ledger: Ledger) -> Policy:
    """The account's present policy; a setting that an older sandbox kept and this one does not know is left out."""
    kept = ledger.find("_policy", "account") or {}
    known = {name: kept[name] for name in Policy.model_fields if name in kept}
    if "retry_days" in known:
        known["retry_days"] = known["retry_days"][:_MOST_CUSTOM_RETRIES]
    return Policy(**known)


def change(ledger: Ledger, **changes: Any) -> Policy:
    """Set some of the policy's fields; raises a 400 for a value that means nothing."""
    policy = checked(Policy, {**load(ledger).model_dump(), **changes})
    ledger.save({"id": "account", **policy.model_dump()}, "_policy")
    return policy
