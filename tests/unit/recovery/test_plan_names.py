"""What a plan is called, whatever shape its subscription came in."""

from typing import Any

import pytest

from app.recovery.projections import billed_name
from app.stripe_gateway.readers import read_invoice, read_subscription

PRICE = {"id": "price_1", "nickname": "Team", "unit_amount": 4900, "currency": "usd"}
INVOICE = read_invoice({"id": "in_1", "lines": {"data": [{"id": "il_1", "price": {"id": "price_1"}}]}})


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ({"items": {"data": [{"price": PRICE}]}}, "Team"),
        ({"items": [{"price": PRICE}]}, "Team"),
        ({"items": {"data": [{"price": "price_1"}]}, "description": "The team's plan"}, "The team's plan"),
        ({"items": {"data": [{"plan": {**PRICE, "amount": 4900}}]}}, "Team"),
        ({"plan": PRICE}, "Team"),
        ({"items": {"data": [{"price": {**PRICE, "id": "price_2"}}]}}, None),
        ({"items": {"data": [{"price": None}]}, "description": "x"}, None),
        ({"items": None}, None),
        ({}, None),
    ],
)
def test_an_invoice_is_for_the_plan_that_it_billed(shape: dict[str, Any], name: str | None) -> None:
    subscription = read_subscription({"id": "sub_1", "status": "past_due", **shape})
    assert billed_name(INVOICE, subscription) == name
