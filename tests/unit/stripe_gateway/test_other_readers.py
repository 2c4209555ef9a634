"""Subscriptions, customers, accounts, events and setup sessions come out in one shape."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.stripe_gateway.readers import read_account, read_card_setup, read_customer, read_event, read_subscription

PRICE = {
    "id": "price_1",
    "product": "prod_1",
    "unit_amount": 2000,
    "currency": "usd",
    "recurring": {"interval": "month"},
}


def test_the_period_ends_with_the_first_item_since_basil() -> None:
    items = [{"id": "si_1", "current_period_end": 200, "price": PRICE}, {"id": "si_2", "current_period_end": 100}]
    new = read_subscription({"id": "sub_1", "items": {"data": items}})
    old = read_subscription({"id": "sub_1", "current_period_end": 300, "items": {"data": items}})
    assert new.current_period_end == datetime.fromtimestamp(100, UTC)
    assert old.current_period_end == datetime.fromtimestamp(300, UTC)


def test_an_item_has_its_price_and_quantity() -> None:
    item = read_subscription({"items": {"data": [{"id": "si_1", "quantity": 3, "price": PRICE}]}}).items[0]
    assert (item.price_id, item.product_id, item.quantity, item.unit_amount) == ("price_1", "prod_1", 3, 2000)
    assert (item.interval, item.interval_count, item.currency) == ("month", 1, "usd")


def test_a_subscription_with_one_plan_of_its_own_has_it_as_an_item() -> None:
    plan = {
        "id": "gold",
        "product": "prod_1",
        "amount": 900,
        "currency": "eur",
        "interval": "year",
        "interval_count": 2,
    }
    item = read_subscription({"id": "sub_1", "plan": plan, "quantity": 4}).items[0]
    assert (item.price_id, item.unit_amount, item.interval, item.interval_count, item.quantity) == (
        "gold",
        900,
        "year",
        2,
        4,
    )


def test_pause_schedule_and_reason_are_read() -> None:
    subscription = read_subscription(
        {
            "id": "sub_1",
            "status": "canceled",
            "pause_collection": {"behavior": "void", "resumes_at": None},
            "schedule": {"id": "sub_sched_1"},
            "cancellation_details": {"reason": "payment_failed"},
        }
    )
    assert subscription.pause_collection == {"behavior": "void", "resumes_at": None}
    assert (subscription.schedule_id, subscription.cancellation_reason) == ("sub_sched_1", "payment_failed")


def test_a_customer_is_read_with_defaults_country_and_zone() -> None:
    customer = read_customer(
        {
            "id": "cus_1",
            "email": "a@example.org",
            "preferred_locales": ["pt-BR", None],
            "shipping": {"address": {"country": "BR"}},
            "invoice_settings": {"default_payment_method": {"id": "pm_1"}},
            "default_source": "card_1",
            "account_balance": -500,
            "metadata": {"time_zone": "America/Sao_Paulo"},
        }
    )
    assert (customer.default_payment_method_id, customer.default_source_id) == ("pm_1", "card_1")
    assert (customer.country, customer.timezone, customer.balance) == ("BR", "America/Sao_Paulo", -500)
    assert customer.preferred_locales == ("pt-BR",)


def test_a_deleted_customer_is_an_id_and_nothing_else() -> None:
    customer = read_customer({"id": "cus_1", "object": "customer", "deleted": True})
    assert customer.deleted
    assert (customer.email, customer.created) == (None, None)


def test_the_account_goes_by_the_name_customers_know() -> None:
    settings = {"dashboard": {"display_name": "Inner name", "timezone": "Europe/Berlin"}}
    named = read_account({"id": "acct_1", "business_profile": {"name": "Shop"}, "settings": settings}, livemode=True)
    unnamed = read_account({"id": "acct_1", "business_profile": {"name": None}, "settings": settings}, livemode=True)
    assert (named.name, unnamed.name, named.timezone, named.livemode) == ("Shop", "Inner name", "Europe/Berlin", True)


def test_snapshot_and_thin_events_come_to_the_same_facts() -> None:
    snapshot = read_event(
        {
            "id": "evt_1",
            "object": "event",
            "type": "invoice.paid",
            "created": 1790816400,
            "livemode": True,
            "account": "acct_1",
            "api_version": "2020-08-27",
            "data": {"object": {"id": "in_1", "object": "invoice"}},
        }
    )
    thin = read_event(
        {
            "id": "evt_2",
            "object": "v2.core.event",
            "type": "v1.invoice.paid",
            "created": "2026-10-01T01:00:00.000Z",
            "livemode": True,
            "context": "acct_1",
            "related_object": {"id": "in_1", "type": "invoice", "url": "/v1/invoices/in_1"},
        }
    )
    for event in (snapshot, thin):
        assert (event.type, event.object_type, event.object_id) == ("invoice.paid", "invoice", "in_1")
        assert (event.created, event.account, event.livemode) == (datetime(2026, 10, 1, 1, tzinfo=UTC), "acct_1", True)


def test_an_event_that_says_no_mode_has_none() -> None:
    assert read_event({"id": "evt_1", "type": "ping"}).livemode is None


@pytest.mark.parametrize(
    ("session", "intent", "expected"),
    [
        ({"status": "complete"}, {"status": "succeeded", "payment_method": "pm_1"}, ("complete", "pm_1")),
        ({"status": "open"}, {"status": "requires_payment_method", "payment_method": "pm_1"}, ("open", None)),
        ({"status": "expired"}, None, ("expired", None)),
        ({}, {"status": "succeeded", "payment_method": {"id": "pm_1"}}, ("complete", "pm_1")),
        ({}, None, ("open", None)),
    ],
)
def test_a_card_counts_only_when_its_setup_succeeded(
    session: dict[str, Any], intent: dict[str, Any] | None, expected: tuple[str, str | None]
) -> None:
    setup = read_card_setup({"id": "cs_1", **session}, intent)
    assert (setup.status, setup.payment_method_id) == expected
