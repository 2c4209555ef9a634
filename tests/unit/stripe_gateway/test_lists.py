"""Lists are read to their end, in the order that is promised."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from responses import matchers

from app.stripe_gateway.account import NOBODY
from app.stripe_gateway.errors import NotFound
from app.stripe_gateway.events import ENABLED_EVENTS
from app.stripe_gateway.gateway import StripeGateway

API = "http://stripe.test/v1"

MOMENT = datetime(2026, 11, 1, tzinfo=UTC)


def page(kind: str, *rows: dict[str, Any], more: bool = False) -> dict[str, Any]:
    return {"object": "list", "has_more": more, "data": [{"object": kind, **row} for row in rows]}


def test_open_invoices_come_oldest_first_over_all_pages(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(
        f"{API}/invoices", json=page("invoice", {"id": "in_3", "created": 3}, {"id": "in_2b", "created": 2}, more=True)
    )
    stripe_api.get(f"{API}/invoices", json=page("invoice", {"id": "in_2a", "created": 2}, {"id": "in_1", "created": 1}))
    found = gateway.list_open_invoices(customer_id="cus_1")
    assert [invoice.id for invoice in found] == ["in_1", "in_2a", "in_2b", "in_3"]


def test_a_list_that_repeats_its_page_for_ever_is_left(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(f"{API}/invoices", json=page("invoice", {"id": "in_1", "created": 1}, more=True))
    assert len(gateway.list_open_invoices(customer_id="cus_1")) == 2
    assert len(stripe_api.calls) == 2


def test_open_invoices_of_the_account_are_asked_for_from_a_moment_on(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(f"{API}/invoices", json=page("invoice", {"id": "in_1"}))
    found = gateway.invoices_page(created_after=MOMENT, open_only=True)
    assert [invoice.id for invoice in found.rows] == ["in_1"]
    assert f"gte]={int(MOMENT.timestamp())}" in str(stripe_api.calls[0].request.url).replace("%5D", "]")


def test_events_after_an_event_come_oldest_first(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    for before, rows, more in [("evt_1", ("evt_3", "evt_2"), True), ("evt_3", ("evt_5", "evt_4"), False)]:
        stripe_api.get(
            f"{API}/events",
            json=page("event", *({"id": row, "type": "invoice.paid"} for row in rows), more=more),
            match=[matchers.query_param_matcher({"ending_before": before}, strict_match=False)],
        )
    first = gateway.events_page(("invoice.paid",), created_after=MOMENT, newer_than="evt_1")
    second = gateway.events_page(("invoice.paid",), created_after=MOMENT, newer_than="evt_1", cursor=first.cursor)
    assert [event.id for event in (*first.rows, *second.rows)] == ["evt_2", "evt_3", "evt_4", "evt_5"]
    assert second.cursor is None


def test_renewals_never_wait_for_our_answer() -> None:
    assert "invoice.created" not in ENABLED_EVENTS
    assert "*" not in ENABLED_EVENTS
    assert len(set(ENABLED_EVENTS)) == len(ENABLED_EVENTS)


def test_the_invoice_of_an_intent_is_found_by_its_payments(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(f"{API}/invoice_payments", json=page("invoice_payment", {"id": "inpay_1", "invoice": "in_1"}))
    assert gateway.find_invoice_id(payment_intent_id="pi_1") == "in_1"


@pytest.mark.parametrize(
    ("intent", "expected"),
    [
        ({"invoice": "in_1"}, "in_1"),
        ({"payment_details": {"order_reference": "in_1"}}, "in_1"),
        ({"payment_details": {"order_reference": "order 7"}}, None),
        ({}, None),
    ],
)
def test_where_payments_cannot_be_listed_the_intent_may_name_its_invoice(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, intent: dict[str, Any], expected: str | None
) -> None:
    stripe_api.get(f"{API}/invoice_payments", status=404, json={"error": {}})
    stripe_api.get(f"{API}/payment_intents/pi_1", json={"id": "pi_1", "object": "payment_intent", **intent})
    assert gateway.find_invoice_id(payment_intent_id="pi_1") == expected


def test_an_invoice_of_a_shape_without_payments_is_read_without_them(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    expanding = [matchers.query_param_matcher({"expand[0]": "payments"})]
    stripe_api.get(f"{API}/invoices/in_1", status=400, json={"error": {}}, match=expanding)
    stripe_api.get(
        f"{API}/invoices/in_1", json={"id": "in_1", "payment_intent": "pi_1"}, match=[matchers.query_param_matcher({})]
    )
    assert gateway.get_invoice("in_1").payment_intent_id == "pi_1"


def test_an_invoice_that_is_not_there_is_asked_for_once(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(f"{API}/invoices/in_1", status=404, json={"error": {}})
    with pytest.raises(NotFound):
        gateway.get_invoice("in_1")
    assert len(stripe_api.calls) == 1


def test_missing_permissions_are_found_by_reading_and_absent_lists_are_no_matter(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    for (
        path
    ) in "account customers payment_methods setup_intents payment_intents charges prices products events".split():
        stripe_api.get(f"{API}/{path}", json=page(path))
    for path in ("invoices", "webhook_endpoints"):
        stripe_api.get(f"{API}/{path}", status=403, json={"error": {}})
    for path in ("disputes", "checkout/sessions", "subscriptions"):
        stripe_api.get(f"{API}/{path}", status=404, json={"error": {}})
    stripe_api.post(re.compile(f"{API}/.+/.+"), status=404, json={"error": {}})
    assert gateway.missing_permissions() == ["invoice_write", "webhook_write"]


def test_a_key_that_may_read_and_not_write_is_found_out_by_writing_to_nobody(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    told = "The key is not enough. Having the 'rak_accounts_kyc_basic_read' permission would allow this."
    stripe_api.get(f"{API}/account", status=403, json={"error": {"message": told}})
    stripe_api.get(re.compile(f"{API}/.+"), json=page("anything"))
    stripe_api.post(f"{API}/subscriptions/sub_{NOBODY}", status=403, json={"error": {"message": "No."}})
    stripe_api.post(re.compile(f"{API}/.+/.+"), status=404, json={"error": {}})
    named = "account_read (Stripe calls it rak_accounts_kyc_basic_read)"
    assert gateway.missing_permissions() == [named, "subscription_write"]


@pytest.mark.parametrize(
    ("key", "live"), [("rk_live_1", True), ("sk_live_1", True), ("rk_test_1", False), ("x", False)]
)
def test_the_mode_follows_from_the_key(stripe_api: responses.RequestsMock, key: str, live: bool) -> None:
    stripe_api.get(f"{API}/account", json={"id": "acct_1", "object": "account"})
    assert StripeGateway(key, api_base="http://stripe.test").get_account().livemode is live


def test_a_saved_card_is_read_through_the_setup_intent(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    session = {
        "id": "cs_1",
        "object": "checkout.session",
        "status": "complete",
        "setup_intent": "seti_1",
        "customer": "cus_1",
    }
    stripe_api.get(f"{API}/checkout/sessions/cs_1", json=session)
    intent = {"id": "seti_1", "object": "setup_intent", "status": "succeeded", "payment_method": "pm_1"}
    stripe_api.get(f"{API}/setup_intents/seti_1", json=intent)
    setup = gateway.get_card_setup("cs_1")
    assert (setup.payment_method_id, setup.customer_id) == ("pm_1", "cus_1")


def test_a_connected_account_is_named_in_every_request(stripe_api: responses.RequestsMock) -> None:
    stripe_api.get(f"{API}/customers/cus_1", json={"id": "cus_1", "object": "customer"})
    StripeGateway("sk_test_1", api_base="http://stripe.test", account="acct_9").get_customer("cus_1")
    assert stripe_api.calls[0].request.headers["Stripe-Account"] == "acct_9"


def test_each_request_waits_fifteen_seconds_at_most_and_reports_nothing_about_the_one_before(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(f"{API}/customers/cus_1", json={"id": "cus_1", "object": "customer"})
    for _ in range(2):
        gateway.get_customer("cus_1")
        sent = stripe_api.calls[-1].request
        assert sent.req_kwargs["timeout"] == (5.0, 15.0)
        assert "X-Stripe-Client-Telemetry" not in sent.headers
