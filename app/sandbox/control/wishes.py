"""What may be asked of the control routes: each body with its fields, their meanings and their limits."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, field_validator, model_validator

from app.money import Money, format_money
from app.sandbox import rate_limits
from app.sandbox.billing.balances import minimum_charge
from app.sandbox.checks import Answer, Behaviour, Card, Country, Currency, Language, Wish, Zone
from app.sandbox.permissions import RESOURCES

LARGEST_AMOUNT = 99_999_999  # minor units; Stripe's own limit of eight digits
LONGEST_OUTAGE = 30 * 24 * 60
DEFAULT_ANSWER = "insufficient_funds"

Script = list[Answer]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")]


class CustomerWish(Wish):
    """A customer with a paid subscription. `amount` is minor units a period, 0 for a free plan."""

    name: str | None = None
    email: Email | None = None
    plan: Annotated[str, Field(min_length=1)] = "Team"
    amount: Annotated[int, Field(ge=0, le=LARGEST_AMOUNT)] = 4900
    currency: Currency = "usd"
    interval: Literal["day", "week", "month", "year"] = "month"
    card: Card = "pm_card_visa"
    script: Script = Field(default_factory=list)
    card_on: Literal["customer", "subscription"] = "customer"
    country: Country | None = None
    timezone: Zone | None = None
    locale: Language | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    behaviour: Behaviour | None = None
    payer_seed: Annotated[int, Field(ge=0)] | None = None
    reads_mail: bool = False

    @model_validator(mode="after")
    def _is_worth_a_charge(self) -> "CustomerWish":
        least = minimum_charge(self.currency)
        if 0 < self.amount < least:
            given, needed = (format_money(Money(minor, self.currency)) for minor in (self.amount, least))
            raise ValueError(
                f"amount: {self.amount} means {given}, as amounts are in minor units, and Stripe charges no less than"
                f" {needed}; give {least} or more, or 0 for a free plan"
            )
        return self

    def given(self) -> dict[str, Any]:
        """What was asked for, without what was left out."""
        return self.model_dump(exclude_unset=True)


class FailWish(Wish):
    """A renewal that fails: `script` is what the card answers try by try, or one `decline_code` for ever.

    `subscription` says which one renews, for a customer who has several.
    """

    customer: Annotated[str, Field(min_length=1)]
    subscription: Annotated[str, Field(min_length=1)] | None = None
    script: Script = Field(default_factory=list)
    decline_code: Answer = DEFAULT_ANSWER

    @property
    def answers(self) -> Script:
        """The issuer's script."""
        return self.script or [self.decline_code]


class ScriptWish(Wish):
    """A card's answers from now on."""

    script: Annotated[Script, Field(min_length=1)]


class NewCardWish(Wish):
    """Another card for a customer, brought by the operator or by the network's updater."""

    by: Literal["operator", "updater"] = "operator"
    card: Card = "pm_card_visa"
    script: Script = Field(default_factory=list)
    on_subscriptions: bool = False


class OutageWish(Wish):
    """How long issuers do not answer, and what share of them."""

    minutes: Annotated[float, Field(gt=0, le=LONGEST_OUTAGE)]
    share: Annotated[float, Field(gt=0, le=1)] = 1.0


class SampleWish(Wish):
    """Sample customers: how many who pay, with how many months of history."""

    customers: Annotated[int, Field(ge=0, le=2000)] = 60
    months: Annotated[int, Field(ge=1, le=24)] = 6
    number: int = 7
    fail_at_once: bool = False


class CrowdWish(Wish):
    """A population with payers behind its cards; `behaviours` are segments with weights, or the name of one."""

    customers: Annotated[int, Field(ge=1, le=2000)] = 100
    behaviours: dict[Behaviour, Annotated[float, Field(gt=0)]] = Field(default_factory=lambda: {"us_consumer": 1.0})
    number: int = 7
    within_days: Annotated[int, Field(ge=1, le=30)] = 28
    read_mail: bool = False

    @field_validator("behaviours", mode="before")
    @classmethod
    def _one_alone(cls, given: Any) -> Any:
        return {given: 1.0} if isinstance(given, str) else given


class ReaderWish(Wish):
    """A customer who reads their mail; `seed` names their habits, else the address does."""

    seed: Annotated[int, Field(ge=0)] | None = None


class ClockWish(Wish):
    """Where to turn the clock, and how many real seconds each stop may take."""

    to: AwareDatetime
    settle_seconds: Annotated[float, Field(ge=0, le=600)] = 10.0


class FaultWish(Wish):
    """Trouble to switch on, as `faults.Fault` has it."""

    kind: str
    rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    count: Annotated[int, Field(ge=1)] | None = None
    path: str = ""
    method: Literal["", "GET", "POST", "DELETE"] = ""
    seconds: Annotated[float, Field(ge=0)] | None = None
    minutes: Annotated[float, Field(gt=0, le=LONGEST_OUTAGE)] | None = None
    seed: int | None = None


class DisputeWish(Wish):
    """Why the cardholder disputes a payment: a reason of Stripe's."""

    reason: Literal[
        "bank_cannot_process",
        "check_returned",
        "credit_not_processed",
        "customer_initiated",
        "debit_not_authorized",
        "duplicate",
        "fraudulent",
        "general",
        "incorrect_account_details",
        "insufficient_funds",
        "noncompliant",
        "product_not_received",
        "product_unacceptable",
        "subscription_canceled",
        "unrecognized",
    ] = "fraudulent"


class KeyWish(Wish):
    """A key: a restricted one by what it may do with each resource, such as `{"invoice": "write", "event": "read"}`;
    without permissions one that may do everything. `key` is what it is called, if that matters.
    """

    permissions: dict[str, Literal["none", "read", "write"]] | None = None
    key: Annotated[str, Field(pattern=r"^[rs]k_test_[A-Za-z0-9_]{4,200}$")] | None = None

    @model_validator(mode="after")
    def _are_known(self) -> "KeyWish":
        strange = sorted((self.permissions or {}).keys() - RESOURCES)
        if strange:
            raise ValueError(f"permissions: {strange[0]!r} is not known; known are {', '.join(sorted(RESOURCES))}")
        return self


class VersionWish(Wish):
    """The account's API version: a date, with a release's name behind it where it has one."""

    version: Annotated[str, Field(pattern=r"^20\d\d-\d\d-\d\d(\.[a-z]+)?$")]


class RatesWish(Wish):
    """Requests a second: of an account in all, of each operation, and of each search."""

    account: Annotated[float, Field(ge=1, le=10_000)] = rate_limits.GLOBAL
    endpoint: Annotated[float, Field(ge=1, le=10_000)] = rate_limits.ENDPOINT
    search: Annotated[float, Field(ge=1, le=10_000)] = rate_limits.SEARCH


class AccountWish(Wish):
    """A connected account."""

    name: Annotated[str, Field(min_length=1, max_length=100)] = "Connected account"


class RollWish(Wish):
    """How long an endpoint's present secret goes on signing beside the new one: at most Stripe's 24 hours."""

    hours: Annotated[float, Field(ge=0, le=24)] = 24


class VerdictWish(Wish):
    """How a dispute ends."""

    status: Literal["won", "lost"] = "lost"
