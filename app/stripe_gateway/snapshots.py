"""Stripe's objects as the rest of the program sees them: frozen, version-free, with aware UTC moments.

Amounts are whole minor units of the `currency` beside them (lower-case ISO). Ids that Stripe left out are None.
Nothing here knows how an object was fetched or which API version it came from.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

Json = dict[str, Any]
Row = TypeVar("Row")
Other = TypeVar("Other")


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a list: `cursor` leads to the next one, None where there is none; `newest` is the newest id on it."""

    rows: tuple[Row, ...]
    cursor: str | None
    newest: str | None

    def map(self, read: Callable[[Row], Other]) -> "Page[Other]":
        """The same page with each row read."""
        return Page(tuple(map(read, self.rows)), self.cursor, self.newest)


@dataclass(frozen=True)
class Signals:
    """Everything Stripe and the network said about a decline, joined from charge, error body and payment intent."""

    code: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None
    network_decline_code: str | None = None
    network_advice_code: str | None = None
    outcome_type: str | None = None
    outcome_reason: str | None = None
    network_status: str | None = None


@dataclass(frozen=True)
class CardSnapshot:
    """What may be kept of a card: never its number. `brand` is lower-case as Stripe writes it today (`amex`)."""

    brand: str | None = None
    funding: str | None = None
    country: str | None = None
    fingerprint: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None


@dataclass(frozen=True)
class PaymentMethodSnapshot:
    """A saved way to pay; `card` is None for everything that is not a card."""

    id: str
    customer_id: str | None
    type: str
    card: CardSnapshot | None
    billing_country: str | None
    created: datetime | None = None


@dataclass(frozen=True)
class LineSnapshot:
    """One line of an invoice; `interval` is known only where the line carries its whole price (older API versions)."""

    price_id: str | None
    product_id: str | None
    description: str | None
    amount: int
    interval: str | None = None


@dataclass(frozen=True)
class InvoiceSnapshot:
    """One invoice. `id` is empty for the preview that `invoice.upcoming` carries, which has none.

    `status` is one of draft, open, paid, uncollectible, void, also for API versions that had flags instead.
    """

    id: str
    customer_id: str | None
    subscription_id: str | None
    status: str
    amount_due: int
    amount_paid: int
    amount_remaining: int
    currency: str
    billing_reason: str | None
    collection_method: str
    attempted: bool
    attempt_count: int
    next_payment_attempt: datetime | None
    auto_advance: bool
    default_payment_method_id: str | None
    payment_intent_id: str | None
    charge_id: str | None
    hosted_invoice_url: str | None
    number: str | None
    created: datetime
    due_date: datetime | None
    period_end: datetime | None
    paid_at: datetime | None
    paid_out_of_band: bool
    lines: tuple[LineSnapshot, ...]
    livemode: bool
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChargeSnapshot:
    """One charge, failed ones too: `status` is succeeded, pending or failed."""

    id: str
    payment_intent_id: str | None
    payment_method_id: str | None
    amount: int
    currency: str
    status: str
    created: datetime
    signals: Signals
    card: CardSnapshot | None
    disputed: bool
    refunded_amount: int


@dataclass(frozen=True)
class PaymentIntentSnapshot:
    """The state of one payment: `next_action_type` says what the payer has to do, when anything."""

    id: str
    status: str
    latest_charge_id: str | None
    signals: Signals
    next_action_type: str | None
    payment_method_id: str | None = None
    card: CardSnapshot | None = None


@dataclass(frozen=True)
class SubscriptionItem:
    """One price a subscription bills; `quantity` is None for metered prices, `unit_amount` for tiered ones.

    `nickname` is what the operator calls the price.
    """

    id: str
    price_id: str | None
    product_id: str | None
    quantity: int | None
    unit_amount: int | None
    currency: str
    interval: str | None
    interval_count: int
    nickname: str | None


@dataclass(frozen=True)
class SubscriptionSnapshot:
    """One subscription. `raw` is the whole object as read (with its schedule, when it has one): store it before a
    final action, and hand `read_subscription(raw)` back to the gateway's restoring calls afterwards.
    """

    id: str
    customer_id: str | None
    status: str
    description: str | None
    collection_method: str | None
    items: tuple[SubscriptionItem, ...]
    default_payment_method_id: str | None
    default_source_id: str | None
    latest_invoice_id: str | None
    current_period_end: datetime | None
    cancel_at_period_end: bool
    canceled_at: datetime | None
    cancellation_reason: str | None
    pause_collection: Json | None
    schedule_id: str | None
    metadata: dict[str, str]
    raw: Json
    livemode: bool


@dataclass(frozen=True)
class CustomerSnapshot:
    """Who pays. `timezone` comes from metadata (`timezone` or `time_zone`), as Stripe itself keeps none."""

    id: str
    email: str | None
    name: str | None
    phone: str | None
    preferred_locales: tuple[str, ...]
    country: str | None
    timezone: str | None
    default_payment_method_id: str | None
    default_source_id: str | None
    currency: str | None
    balance: int
    delinquent: bool
    deleted: bool
    metadata: dict[str, str]
    created: datetime | None


@dataclass(frozen=True)
class AccountSnapshot:
    """The connected account; `timezone` is the dashboard's IANA name, `livemode` follows from the key in use."""

    id: str
    country: str | None
    default_currency: str | None
    name: str | None
    support_email: str | None
    url: str | None
    timezone: str | None
    livemode: bool


@dataclass(frozen=True)
class SetupSession:
    """A hosted page on which the customer saves a card; `url` is a bearer secret of short life: log it never."""

    id: str
    url: str
    expires_at: datetime | None


@dataclass(frozen=True)
class SetupSecret:
    """A setup intent for Stripe's form in a page of ours; `client_secret` belongs to that page alone: log it never."""

    id: str
    client_secret: str


@dataclass(frozen=True)
class CardSetup:
    """What became of a setup session: `status` is open, complete or expired; a payment method only once it is saved."""

    session_id: str
    status: str
    customer_id: str | None
    payment_method_id: str | None
    metadata: dict[str, str]


@dataclass(frozen=True)
class WebhookEndpoint:
    """A webhook endpoint at Stripe; `secret` is given once, in the answer to its creation, and None ever after."""

    id: str
    url: str
    status: str
    enabled_events: tuple[str, ...]
    api_version: str | None
    secret: str | None = None


@dataclass(frozen=True)
class EventSnapshot:
    """What an event says for certain, snapshot or thin: the object itself is read again at the pinned version.

    `account` is set only for a connected account's event; `raw` is the event as it came.
    """

    id: str
    type: str
    created: datetime | None
    livemode: bool | None
    account: str | None
    api_version: str | None
    object_type: str | None
    object_id: str | None
    raw: Json


@dataclass(frozen=True)
class Bill:
    """An invoice, and those parts around it that came in the same answer."""

    invoice: InvoiceSnapshot
    customer: CustomerSnapshot | None = None
    subscription: SubscriptionSnapshot | None = None
    intent: PaymentIntentSnapshot | None = None
    payment_method: PaymentMethodSnapshot | None = None
