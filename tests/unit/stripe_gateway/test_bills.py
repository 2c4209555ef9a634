"""A bill comes in one answer where a server can bring it, and in parts where it cannot; it says the same either way."""

from typing import Any

import pytest
import responses

from app.stripe_gateway.errors import NotFound
from app.stripe_gateway.gateway import StripeGateway
from tests.unit.stripe_gateway.conftest import API

URL = f"{API}/v1/invoices/in_1"
CARD = {"id": "pm_1", "object": "payment_method", "type": "card", "card": {"brand": "visa", "last4": "4242"}}
CUSTOMER = {"id": "cus_1", "object": "customer", "invoice_settings": {"default_payment_method": CARD}}
SUBSCRIPTION = {"id": "sub_1", "object": "subscription", "status": "past_due", "schedule": None}
INTENT = {"id": "pi_1", "object": "payment_intent", "status": "requires_payment_method"}
WHOLE = {
    "id": "in_1",
    "object": "invoice",
    "status": "open",
    "currency": "usd",
    "customer": CUSTOMER,
    "parent": {"type": "subscription_details", "subscription_details": {"subscription": SUBSCRIPTION}},
    "payments": {"object": "list", "data": [{"is_default": True, "payment": {"payment_intent": INTENT}}]},
}
NAMED = {
    **WHOLE,
    "customer": "cus_1",
    "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}},
    "payments": {"object": "list", "data": [{"is_default": True, "payment": {"payment_intent": "pi_1"}}]},
}


def ids(gateway: StripeGateway) -> list[str | None]:
    bill = gateway.get_bill("in_1")
    parts = (bill.invoice, bill.customer, bill.subscription, bill.intent, bill.payment_method)
    return [part.id if part else None for part in parts]


def test_everything_around_an_invoice_comes_in_one_answer(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(URL, json=WHOLE)
    assert ids(gateway) == ["in_1", "cus_1", "sub_1", "pi_1", "pm_1"]
    assert len(stripe_api.calls) == 1


def test_an_expanded_invoice_reads_like_one_that_only_names_its_parts(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(URL, json=WHOLE)
    whole = gateway.get_bill("in_1").invoice
    stripe_api.replace(responses.GET, URL, json=NAMED)
    assert gateway.get_bill("in_1").invoice == whole


def test_what_an_answer_only_names_is_left_to_be_asked_for(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(URL, json=NAMED)
    assert ids(gateway) == ["in_1", None, None, None, None]


def test_a_subscription_under_a_schedule_is_asked_for_with_its_schedule(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    parent: dict[str, Any] = {"subscription_details": {"subscription": {**SUBSCRIPTION, "schedule": "sub_sched_1"}}}
    stripe_api.get(URL, json={**WHOLE, "parent": parent})
    bill = gateway.get_bill("in_1")
    assert (bill.subscription, bill.invoice.subscription_id) == (None, "sub_1")


@pytest.mark.parametrize("status", [400, 403])
def test_where_they_cannot_come_along_the_invoice_comes_alone(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, status: int
) -> None:
    stripe_api.get(URL, status=status, json={"error": {"type": "invalid_request_error", "message": "no"}})
    stripe_api.get(URL, json=NAMED)
    assert ids(gateway) == ["in_1", None, None, None, None]
    assert len(stripe_api.calls) == 2


def test_an_invoice_that_is_not_there_is_missed_at_once(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(URL, status=404, json={"error": {"code": "resource_missing", "message": "No such invoice"}})
    with pytest.raises(NotFound):
        gateway.get_bill("in_1")
    assert len(stripe_api.calls) == 1
