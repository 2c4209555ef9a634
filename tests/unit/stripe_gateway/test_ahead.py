"""What lies ahead, read from lists: which card a subscription charges, and what an imitation must not slip in."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.stripe_gateway import ahead

CARD = {"id": "pm_1", "object": "payment_method", "type": "card", "card": {"exp_month": 3, "exp_year": 2030}}
OLD = {"id": "card_1", "object": "card", "brand": "Visa", "exp_month": 4, "exp_year": 2031}
MOMENT = datetime(2026, 9, 1, tzinfo=UTC)


def subscription(**more: Any) -> dict[str, Any]:
    customer = {"id": "cus_1", "object": "customer", "invoice_settings": {"default_payment_method": None}}
    return {
        "id": "sub_1",
        "object": "subscription",
        "status": "active",
        "customer": customer,
        "items": {"data": [{"id": "si_1", "current_period_end": int(MOMENT.timestamp())}]},
    } | more


def of_customer(**more: Any) -> dict[str, Any]:
    return {"customer": subscription()["customer"] | more}


@pytest.mark.parametrize(
    ("row", "method_id"),
    [
        (subscription(default_payment_method=CARD, **of_customer(default_source=OLD)), "pm_1"),
        (subscription(default_source=OLD, **of_customer(invoice_settings={"default_payment_method": CARD})), "card_1"),
        (subscription(**of_customer(invoice_settings={"default_payment_method": CARD}, default_source=OLD)), "pm_1"),
        (subscription(**of_customer(default_source=OLD)), "card_1"),
        (subscription(), None),
        (subscription(default_payment_method="pm_1"), None),  # not expanded: nothing is known of it
    ],
)
def test_the_card_that_is_charged_is_found_in_stripes_order(row: dict[str, Any], method_id: str | None) -> None:
    found = ahead._read_charged_next(row)
    assert (found.payment_method.id if found.payment_method else None) == method_id
    assert found.customer.id == "cus_1"
    assert found.subscription.current_period_end == MOMENT
