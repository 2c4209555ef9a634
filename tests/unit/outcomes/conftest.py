"""Invoices and subscriptions as Stripe would show them, for decisions that need no Stripe."""

from collections.abc import Callable
from typing import Any

import pytest

from app.stripe_gateway.readers import read_invoice, read_subscription
from app.stripe_gateway.snapshots import InvoiceSnapshot, SubscriptionSnapshot

PERIOD_END = 1_800_000_000


@pytest.fixture
def make_invoice() -> Callable[..., InvoiceSnapshot]:
    def make(status: str = "open", subscription: str | None = "sub_1") -> InvoiceSnapshot:
        parent = {"type": "subscription_details", "subscription_details": {"subscription": subscription}}
        return read_invoice({"id": "in_1", "status": status, "parent": parent if subscription else None})

    return make


@pytest.fixture
def make_subscription() -> Callable[..., SubscriptionSnapshot]:
    def make(*prices: str, **fields: Any) -> SubscriptionSnapshot:
        items = [
            {"id": f"si_{price}", "price": {"id": price}, "quantity": 1, "current_period_end": PERIOD_END}
            for price in prices or ("price_paid",)
        ]
        return read_subscription({"id": "sub_1", "status": "past_due", "items": {"data": items}, **fields})

    return make
