"""Which payment method is in force, and putting another in force everywhere."""

from itertools import product
from typing import Any
from urllib.parse import unquote_plus

import pytest
import responses

from app.stripe_gateway.errors import RateLimited
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.payment_methods import find_effective_payment_method_id
from app.stripe_gateway.readers import read_customer, read_invoice, read_subscription

API = "http://stripe.test/v1"
PLACES = ("invoice", "invoice source", "subscription", "subscription source", "customer", "customer source")


@pytest.mark.parametrize("given", list(product([True, False], repeat=len(PLACES))))
def test_the_nearest_default_wins(given: tuple[bool, ...]) -> None:
    ids = [place if present else None for place, present in zip(PLACES, given, strict=True)]
    invoice = read_invoice({"default_payment_method": ids[0], "default_source": ids[1]})
    subscription = read_subscription({"default_payment_method": ids[2], "default_source": ids[3]})
    customer = read_customer({"invoice_settings": {"default_payment_method": ids[4]}, "default_source": ids[5]})
    expected = next((name for name in ids if name), None)
    assert find_effective_payment_method_id(invoice, subscription, customer) == expected


def test_an_invoice_without_a_subscription_falls_back_to_the_customer() -> None:
    customer = read_customer({"default_source": "card_1"})
    assert find_effective_payment_method_id(read_invoice({}), None, customer) == "card_1"


def subscriptions(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "has_more": False, "data": [{"object": "subscription", **row} for row in rows]}


def posts(stripe_api: responses.RequestsMock) -> list[tuple[str, str]]:
    calls = [call.request for call in stripe_api.calls if call.request.method == "POST"]
    return [(str(call.url).removeprefix(API), unquote_plus(str(call.body))) for call in calls]


def test_a_new_card_is_set_for_the_customer_and_for_each_subscription_with_a_default_of_its_own(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(f"{API}/customers/cus_1", json={"id": "cus_1", "object": "customer"})
    listed = subscriptions(
        {"id": "sub_own", "status": "past_due", "default_payment_method": "pm_dead"},
        {"id": "sub_source", "status": "active", "default_source": "card_dead"},
        {"id": "sub_follows", "status": "active"},
        {"id": "sub_has_it", "status": "active", "default_payment_method": "pm_new"},
        {"id": "sub_ended", "status": "incomplete_expired", "default_payment_method": "pm_dead"},
        {"id": "sub_gone", "status": "canceled", "default_payment_method": "pm_dead"},
    )
    stripe_api.get(f"{API}/subscriptions", json=listed)
    for changed in ("sub_own", "sub_source"):
        stripe_api.post(f"{API}/subscriptions/{changed}", json={"id": changed, "object": "subscription"})
    assert gateway.set_default_payment_method("cus_1", "pm_new") == ["sub_own", "sub_source"]
    assert posts(stripe_api) == [
        ("/customers/cus_1", "invoice_settings[default_payment_method]=pm_new"),
        ("/subscriptions/sub_own", "default_payment_method=pm_new"),
        ("/subscriptions/sub_source", "default_payment_method=pm_new"),
    ]


def test_a_subscription_that_refuses_does_not_stop_the_others(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(f"{API}/customers/cus_1", json={"id": "cus_1", "object": "customer"})
    dead = {"status": "past_due", "default_payment_method": "pm_dead"}
    stripe_api.get(f"{API}/subscriptions", json=subscriptions({"id": "sub_1", **dead}, {"id": "sub_2", **dead}))
    stripe_api.post(f"{API}/subscriptions/sub_1", status=400, json={"error": {}})
    stripe_api.post(f"{API}/subscriptions/sub_2", json={"id": "sub_2", "object": "subscription"})
    assert gateway.set_default_payment_method("cus_1", "pm_new") == ["sub_2"]


def test_an_error_that_passes_is_raised_so_that_the_whole_is_repeated(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(f"{API}/customers/cus_1", json={"id": "cus_1", "object": "customer"})
    dead = {"status": "past_due", "default_payment_method": "pm_dead"}
    stripe_api.get(f"{API}/subscriptions", json=subscriptions({"id": "sub_1", **dead}))
    stripe_api.post(f"{API}/subscriptions/sub_1", status=429, json={"error": {}})
    with pytest.raises(RateLimited):
        gateway.set_default_payment_method("cus_1", "pm_new")
