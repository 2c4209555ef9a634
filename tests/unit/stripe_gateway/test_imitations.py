"""What the gateway makes of a server that has a part of Stripe's API only. Stripe itself is never taken for one."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from app.stripe_gateway import errors
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.paying import Declined, Paid, Refused
from tests.unit.stripe_gateway.conftest import API

STRIPE = "https://api.stripe.com"
PAY = f"{API}/v1/invoices/in_1/pay"
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
OPEN = {"id": "in_1", "object": "invoice", "status": "open", "amount_due": 100, "payment_intent": None}
PAID = {**OPEN, "status": "paid"}
NAMED: dict[str, Any] = {"idempotency_key": "org:in_1:1", "payment_method_id": "pm_1"}
BREAKDOWNS = [
    (500, "<h1>Internal Server Error</h1>"),
    (500, '{"error": {"type": "invalid_request_error", "message": "Not implemented"}}'),
    (501, ""),
]
STRIPES_OWN_TROUBLE = '{"error": {"type": "api_error"}}'


@pytest.fixture
def stripe_itself(stripe_api: responses.RequestsMock) -> StripeGateway:
    return StripeGateway("rk_test_123")


@pytest.mark.parametrize(("status", "body"), BREAKDOWNS)
def test_a_breakdown_without_stripes_words_means_unsupported_behind_an_imitation_only(
    gateway: StripeGateway, stripe_itself: StripeGateway, stripe_api: responses.RequestsMock, status: int, body: str
) -> None:
    for base, asked, expected in (
        (API, gateway, errors.Unsupported),
        (STRIPE, stripe_itself, errors.StripeUnavailable),
    ):
        stripe_api.get(f"{base}/v1/customers/cus_1", status=status, body=body)
        with pytest.raises(errors.RetryLater) as caught:
            asked.get_customer("cus_1")
        assert type(caught.value) is expected


@pytest.mark.parametrize("status", [500, 502, 503])
def test_trouble_that_an_imitation_calls_by_stripes_name_is_trouble(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, status: int
) -> None:
    stripe_api.get(f"{API}/v1/charges", status=status, body=STRIPES_OWN_TROUBLE)
    with pytest.raises(errors.StripeUnavailable) as caught:
        gateway.list_charges("pi_1")
    assert type(caught.value) is errors.StripeUnavailable


def test_stripe_itself_is_asked_by_the_full_filter_alone(
    stripe_itself: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(f"{STRIPE}/v1/invoices", status=404, json={"error": {"code": "resource_missing"}})
    stripe_api.get(f"{STRIPE}/v1/charges", status=404, json={"error": {"code": "resource_missing"}})
    stripe_api.get(f"{STRIPE}/v1/events", status=400, json={"error": {}})
    with pytest.raises(errors.NotFound):
        stripe_itself.list_open_invoices(customer_id="cus_1")
    with pytest.raises(errors.NotFound):
        stripe_itself.list_charges("pi_1")
    with pytest.raises(errors.InvalidRequest):
        stripe_itself.events_page(("invoice.paid",), created_after=MOMENT)
    assert len(stripe_api.calls) == 3


def test_filters_that_are_refused_are_left_out_and_applied_here(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    rows = [
        {**OPEN, "id": "in_mine", "customer": "cus_1", "created": 5},
        {**PAID, "id": "in_paid", "customer": "cus_1", "created": 6},
        {**OPEN, "id": "in_hers", "customer": "cus_2", "created": 7},
    ]
    page = {"object": "list", "has_more": False, "data": rows}
    stripe_api.get(f"{API}/v1/invoices", status=500, body="")
    stripe_api.get(f"{API}/v1/invoices", status=500, body="")
    stripe_api.get(f"{API}/v1/invoices", json=page)
    assert [invoice.id for invoice in gateway.list_open_invoices(customer_id="cus_1")] == ["in_mine"]
    assert [set(parse_qs(urlsplit(str(call.request.url)).query)) for call in stripe_api.calls] == [
        {"limit", "status", "customer"},
        {"limit", "customer"},
        {"limit"},
    ]


def test_a_filter_by_moment_that_is_ignored_is_applied_here(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    rows = [{**OPEN, "id": "in_old", "created": 10}, {**OPEN, "id": "in_new", "created": 1_800_000_000}]
    stripe_api.get(f"{API}/v1/invoices", json={"object": "list", "has_more": False, "data": rows})
    found = gateway.invoices_page(created_after=MOMENT, open_only=True)
    assert [invoice.id for invoice in found.rows] == ["in_new"]


def test_charges_and_subscriptions_of_others_are_left_out(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    charges = [
        {"id": "ch_1", "payment_intent": "pi_1"},
        {"id": "ch_2", "payment_intent": "pi_2"},
        {"id": "ch_3", "payment_intent": None},
    ]
    stripe_api.get(f"{API}/v1/charges", json={"object": "list", "data": charges})
    subscriptions = [{"id": "sub_1", "customer": "cus_1"}, {"id": "sub_2", "customer": "cus_2"}]
    stripe_api.get(f"{API}/v1/subscriptions", json={"object": "list", "data": subscriptions})
    assert [charge.id for charge in gateway.list_charges("pi_1")] == ["ch_1"]
    assert [one.id for one in gateway.list_subscriptions("cus_1")] == ["sub_1"]


@pytest.mark.parametrize(
    "intent",
    [
        {"charges": {"data": [{"id": "ch_1", "status": "failed"}]}},
        {"latest_charge": {"id": "ch_1", "status": "failed"}},
        {"latest_charge": "ch_1"},
    ],
)
def test_charges_that_cannot_be_listed_are_those_the_intent_leads_to(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, intent: dict[str, Any]
) -> None:
    stripe_api.get(f"{API}/v1/charges", status=404, body="404: Not Found")
    stripe_api.get(f"{API}/v1/charges/ch_1", json={"id": "ch_1", "object": "charge", "status": "failed"})
    stripe_api.get(f"{API}/v1/payment_intents/pi_1", json={"id": "pi_1", "object": "payment_intent", **intent})
    assert [(charge.id, charge.status) for charge in gateway.list_charges("pi_1")] == [("ch_1", "failed")]


def test_payments_that_cannot_be_expanded_are_listed(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(f"{API}/v1/invoices/in_1", json={"id": "in_1", "object": "invoice", "status": "open"})
    payments = [
        {"invoice": "in_9", "payment": {"payment_intent": "pi_9"}},
        {"invoice": "in_1", "payment": {"payment_intent": "pi_1"}},
    ]
    stripe_api.get(f"{API}/v1/invoice_payments", json={"object": "list", "data": payments})
    assert gateway.get_invoice("in_1").payment_intent_id == "pi_1"


@pytest.mark.parametrize(
    ("status", "body"), [*BREAKDOWNS[:2], (400, '{"error": {"code": "parameter_unknown", "param": "payment_method"}}')]
)
def test_where_a_charge_cannot_name_its_card_the_one_in_force_is_charged_under_a_key_of_its_own(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, status: int, body: str
) -> None:
    stripe_api.post(PAY, status=status, body=body)
    stripe_api.post(PAY, json={**PAID, "payment_intent": "pi_1"})
    stripe_api.get(f"{API}/v1/invoices/in_1", json=OPEN)
    assert isinstance(gateway.pay_invoice("in_1", **NAMED), Paid)
    charges = [call.request for call in stripe_api.calls if call.request.method == "POST"]
    assert [request.headers["Idempotency-Key"] for request in charges] == ["org:in_1:1", "org:in_1:1:by_default"]
    assert [request.body for request in charges] == ["payment_method=pm_1", None]


@pytest.mark.parametrize(
    ("status", "body", "invoice"), [(500, STRIPES_OWN_TROUBLE, OPEN), (503, "", OPEN), (500, "", PAID)]
)
def test_a_charge_is_never_asked_for_otherwise_while_it_may_have_happened(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, status: int, body: str, invoice: dict[str, Any]
) -> None:
    stripe_api.post(PAY, status=status, body=body)
    stripe_api.get(f"{API}/v1/invoices/in_1", json=invoice)
    with pytest.raises(errors.ChargeOutcomeUnknown):
        gateway.pay_invoice("in_1", **NAMED)
    assert len([call for call in stripe_api.calls if call.request.method == "POST"]) == 1


@pytest.mark.parametrize("left", [{"attempt_count": 2}, {"payment_intent": "pi_1"}])
def test_a_breakdown_that_left_a_trace_of_a_charge_is_no_refusal_of_the_parameter(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, left: dict[str, Any]
) -> None:
    stripe_api.post(PAY, status=500, body="")
    stripe_api.get(f"{API}/v1/invoices/in_1", json=OPEN)
    stripe_api.get(f"{API}/v1/invoices/in_1", json={**OPEN, **left})
    stripe_api.get(f"{API}/v1/charges", json={"data": [{"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}]})
    with pytest.raises(errors.ChargeOutcomeUnknown):
        gateway.pay_invoice("in_1", **NAMED)
    assert len([call for call in stripe_api.calls if call.request.method == "POST"]) == 1


def test_stripe_itself_is_never_asked_to_charge_otherwise(
    stripe_itself: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(f"{STRIPE}/v1/invoices/in_1/pay", status=500, body="")
    with pytest.raises(errors.ChargeOutcomeUnknown):
        stripe_itself.pay_invoice("in_1", **NAMED)
    assert len(stripe_api.calls) == 1


def test_nothing_to_pay_with_said_as_not_found_is_a_refusal_and_not_a_missing_invoice(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(PAY, status=404, json={"error": {"message": "This customer has no payment method"}})
    stripe_api.get(f"{API}/v1/invoices/in_1", json=OPEN)
    result = gateway.pay_invoice("in_1", idempotency_key="org:in_1:1")
    assert result == Refused("invalid_request", "This customer has no payment method")


def test_a_decline_answered_with_success_is_read_from_its_charge_where_there_is_no_intent(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(PAY, json={**OPEN, "charge": "ch_1"})
    charge = {"id": "ch_1", "object": "charge", "status": "failed", "failure_code": "card_declined"}
    stripe_api.get(f"{API}/v1/charges/ch_1", json=charge)
    result = gateway.pay_invoice("in_1", idempotency_key="org:in_1:1")
    assert isinstance(result, Declined)
    assert (result.charge_id, result.signals.code) == ("ch_1", "card_declined")


def test_events_without_filters_are_chosen_here(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    stripe_api.get(f"{API}/v1/events", status=400, json={"error": {"message": "Unexpected types"}})
    rows = [{"id": "evt_1", "type": "invoice.paid"}, {"id": "evt_2", "type": "plan.created"}]
    stripe_api.get(f"{API}/v1/events", json={"object": "list", "data": rows})
    found = gateway.events_page(("invoice.paid",), created_after=MOMENT)
    assert [event.id for event in found.rows] == ["evt_1"]


def test_a_next_attempt_counts_only_where_somebody_makes_it(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.get(f"{API}/v1/invoices/in_1", json={**OPEN, "next_payment_attempt": 1_800_000_000})
    assert gateway.get_invoice("in_1").next_payment_attempt is None


@pytest.mark.parametrize("body", ["", "nope", "<h1>Not Found</h1>", '{"detail": "no route"}'])
def test_a_404_without_stripes_words_is_somebody_on_the_way_to_stripe(
    stripe_itself: StripeGateway, stripe_api: responses.RequestsMock, body: str
) -> None:
    stripe_api.get(f"{STRIPE}/v1/invoices/in_1", status=404, body=body)
    with pytest.raises(errors.StripeUnavailable):
        stripe_itself.get_invoice("in_1")


def test_a_404_in_stripes_words_is_believed(stripe_itself: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    words = {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such invoice"}}
    stripe_api.get(f"{STRIPE}/v1/invoices/in_1", status=404, json=words)
    with pytest.raises(errors.NotFound):
        stripe_itself.get_invoice("in_1")
