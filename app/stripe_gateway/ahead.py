"""What lies ahead and nothing has failed with yet: who is subscribed to what, subscriptions that are charged soon with
the card they have, and invoices that their customers pay by hand. A page at a time, as in `listing`.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from app.stripe_gateway.listing import ListingCalls
from app.stripe_gateway.readers import (
    TERMINAL_STATUSES,
    read_customer,
    read_invoice,
    read_payment_method,
    read_subscription,
)
from app.stripe_gateway.readers.fields import Json, table, text
from app.stripe_gateway.snapshots import (
    CustomerSnapshot,
    InvoiceSnapshot,
    Page,
    PaymentMethodSnapshot,
    SubscriptionSnapshot,
)

BY_HAND = "send_invoice"
# Stripe's order of precedence; the last two are legacy cards
_CARDS = (
    ("default_payment_method",),
    ("default_source",),
    ("customer", "invoice_settings", "default_payment_method"),
    ("customer", "default_source"),
)


@dataclass(frozen=True)
class Subscriber:
    """A subscription that is not over, with its customer."""

    subscription: SubscriptionSnapshot
    customer: CustomerSnapshot


@dataclass(frozen=True)
class ChargedNext:
    """A subscription with its customer and what it will charge, as far as that is a card or method on file."""

    subscription: SubscriptionSnapshot
    customer: CustomerSnapshot
    payment_method: PaymentMethodSnapshot | None


class AheadCalls(ListingCalls):
    """Calls that look ahead. `cursor` is what the page before gave; None begins."""

    def charged_next_page(self, *, after: datetime, until: datetime, cursor: str | None = None) -> Page[ChargedNext]:
        """Subscriptions charged automatically whose period ends after `after` and by `until`, with their cards."""
        period = {"gt": int(after.timestamp()), "lte": int(until.timestamp())}
        params: Json = {
            "collection_method": "charge_automatically",
            "current_period_end": period,
            "expand": ["data.customer", *(f"data.{'.'.join(path)}" for path in _CARDS)],
        }
        params |= {"starting_after": cursor} if cursor else {}

        def is_wanted(row: Json) -> bool:
            ends = read_subscription(row).current_period_end
            return ends is not None and after < ends <= until and text(row, "collection_method") != BY_HAND

        ask = partial(self._v1.subscriptions.list)
        return self._page("subscription_write", ask, params, is_wanted).map(_read_charged_next)

    def subscribers_page(self, *, cursor: str | None = None) -> Page[Subscriber]:
        """Subscriptions that are not over, newest first, with their customers; whose customer is only named, left out.

        Stripe leaves out cancelled ones unless they are asked for.
        """
        params: Json = {"expand": ["data.customer"], **({"starting_after": cursor} if cursor else {})}

        def is_wanted(row: Json) -> bool:
            return table(row, "customer") is not None and text(row, "status") not in TERMINAL_STATUSES

        ask = partial(self._v1.subscriptions.list)
        return self._page("subscription_write", ask, params, is_wanted).map(_read_subscriber)

    def invoices_by_hand_page(self, *, cursor: str | None = None) -> Page[InvoiceSnapshot]:
        """Open invoices that are mailed to be paid by hand, newest first."""
        params: Json = {"collection_method": BY_HAND, "status": "open"}
        params |= {"starting_after": cursor} if cursor else {}

        def is_wanted(row: Json) -> bool:
            return text(row, "status") == "open" and read_invoice(row).collection_method == BY_HAND

        ask = partial(self._v1.invoices.list)
        return self._page("invoice_write", ask, params, is_wanted).map(read_invoice)


def _read_subscriber(row: Json) -> Subscriber:
    return Subscriber(read_subscription(row), read_customer(table(row, "customer") or {}))


def _read_charged_next(row: Json) -> ChargedNext:
    found = next((card for path in _CARDS if (card := table(row, *path))), None)
    return ChargedNext(
        subscription=read_subscription(row),
        customer=read_customer(table(row, "customer") or {}),
        payment_method=read_payment_method(found) if found else None,
    )
