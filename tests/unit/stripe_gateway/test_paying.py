"""What comes of charging an invoice. The 402 here has the fields of one recorded from Stripe in November 2025."""

from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses

from app.stripe_gateway import errors
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.paying import ActionRequired, Declined, Paid, PayResult, Processing, Refused
from app.stripe_gateway.snapshots import Signals

API = "http://stripe.test/v1"
PAY = f"{API}/invoices/in_1/pay"
OPEN = {"id": "in_1", "object": "invoice", "status": "open", "hosted_invoice_url": "https://invoice.test/1"}
PAID = {**OPEN, "status": "paid", "amount_due": 2000}
PAYMENTS = {"data": [{"is_default": True, "payment": {"type": "payment_intent", "payment_intent": "pi_1"}}]}
INTENT = {"id": "pi_1", "object": "payment_intent", "status": "requires_payment_method", "latest_charge": "ch_1"}
METHOD = {"id": "pm_1", "object": "payment_method", "type": "card", "card": {"brand": "visa", "last4": "0341"}}
DECLINE: dict[str, Any] = {
    "advice_code": "try_again_later",
    "charge": "ch_1",
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
    "network_decline_code": "01",
    "payment_intent": INTENT,
    "payment_method": METHOD,
    "type": "card_error",
}
CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "status": "failed",
    "failure_code": "card_declined",
    "outcome": {
        "type": "issuer_declined",
        "reason": "generic_decline",
        "network_status": "declined_by_network",
        "network_advice_code": "02",
    },
}


def pay(gateway: StripeGateway, **options: Any) -> PayResult:
    return gateway.pay_invoice("in_1", idempotency_key="org:in_1:1", **options)


def test_a_paid_invoice_comes_back_with_its_payment(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    stripe_api.post(PAY, json=PAID)
    stripe_api.get(f"{API}/invoices/in_1", json={**PAID, "payments": PAYMENTS})
    result = pay(gateway, payment_method_id="pm_1")
    assert isinstance(result, Paid)
    assert result.invoice.payment_intent_id == "pi_1"
    (request,) = (call.request for call in stripe_api.calls if call.request.method == "POST")
    assert request.headers["Idempotency-Key"] == "org:in_1:1"
    assert parse_qs(str(request.body)) == {"payment_method": ["pm_1"]}


def test_a_payment_counts_even_if_its_ids_cannot_be_read(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(PAY, json=PAID)
    stripe_api.get(f"{API}/invoices/in_1", status=500, json={"error": {}})
    result = pay(gateway)
    assert isinstance(result, Paid)
    assert result.invoice.payment_intent_id is None


def test_a_decline_carries_every_signal(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    stripe_api.post(PAY, status=402, json={"error": DECLINE}, headers={"Stripe-Should-Retry": "false"})
    stripe_api.get(f"{API}/charges/ch_1", json=CHARGE)
    result = pay(gateway)
    assert isinstance(result, Declined)
    assert result.signals == Signals(
        code="card_declined",
        decline_code="generic_decline",
        advice_code="try_again_later",
        network_decline_code="01",
        network_advice_code="02",
        outcome_type="issuer_declined",
        outcome_reason="generic_decline",
        network_status="declined_by_network",
    )
    assert (result.charge_id, result.payment_intent_id, result.payment_method_id) == ("ch_1", "pi_1", "pm_1")
    assert result.card is not None
    assert result.card.last4 == "0341"
    assert [call.request.method for call in stripe_api.calls] == ["POST", "GET"]


def test_a_decline_whose_charge_cannot_be_read_keeps_what_it_has(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(PAY, status=402, json={"error": DECLINE})
    stripe_api.get(f"{API}/charges/ch_1", status=403, json={"error": {}})
    result = pay(gateway)
    assert isinstance(result, Declined)
    assert (result.signals.network_decline_code, result.signals.outcome_type) == ("01", None)


def test_a_decline_that_brings_its_charge_along_needs_no_other_read(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(PAY, status=402, json={"error": {**DECLINE, "payment_intent": {**INTENT, "latest_charge": CHARGE}}})
    result = pay(gateway)
    assert isinstance(result, Declined)
    assert result.signals.network_status == "declined_by_network"
    assert len(stripe_api.calls) == 1


def test_a_bare_decline_is_still_a_decline(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    stripe_api.post(PAY, status=402, json={"error": {}})
    assert pay(gateway) == Declined(Signals(), None, None, None, None)


@pytest.mark.parametrize("status", [400, 402])
def test_a_payment_that_needs_the_payer_says_where_to_send_them(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, status: int
) -> None:
    error = {"code": "invoice_payment_intent_requires_action", "payment_intent": {"id": "pi_1"}}
    stripe_api.post(PAY, status=status, json={"error": error})
    stripe_api.get(f"{API}/invoices/in_1", json={**OPEN, "payments": {"data": []}})
    assert pay(gateway) == ActionRequired("pi_1", "https://invoice.test/1")


def test_an_intent_that_requires_action_tells_the_same_without_the_code(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    error = {"code": "authentication_required", "payment_intent": {**INTENT, "status": "requires_action"}}
    stripe_api.post(PAY, status=402, json={"error": error})
    stripe_api.get(f"{API}/invoices/in_1", status=500)
    assert pay(gateway) == ActionRequired("pi_1", None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [({"message": "Invoice is already paid"}, "invalid_request"), ({"code": "resource_missing"}, "resource_missing")],
)
def test_a_refusal_charged_nothing_and_gives_a_code(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, error: dict[str, str], reason: str
) -> None:
    stripe_api.post(PAY, status=400, json={"error": error})
    assert pay(gateway) == Refused(reason, error.get("message"))


@pytest.mark.parametrize(
    "answer",
    [
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError()},
        {"status": 500, "json": {"error": {"type": "api_error"}}},
        {"status": 503, "body": "upstream"},
        {"status": 200, "body": "<html>"},
        {"status": 200, "json": {}},
    ],
)
def test_without_a_readable_answer_the_outcome_is_unknown_and_nothing_is_repeated(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, slept: list[float], answer: dict[str, Any]
) -> None:
    stripe_api.post(PAY, **answer)
    with pytest.raises(errors.ChargeOutcomeUnknown):
        pay(gateway)
    assert (len(stripe_api.calls), slept) == (1, [])


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (409, {"code": "idempotency_key_in_use"}, errors.KeyInUse),
        (400, {"type": "idempotency_error"}, errors.KeyUsedOtherwise),
        (404, {"code": "resource_missing"}, errors.NotFound),
        (401, {}, errors.Unauthorized),
        (403, {}, errors.PermissionMissing),
        (429, {}, errors.RateLimited),
    ],
)
def test_what_is_no_answer_about_the_charge_is_raised(
    gateway: StripeGateway,
    stripe_api: responses.RequestsMock,
    status: int,
    error: dict[str, str],
    expected: type[Exception],
) -> None:
    stripe_api.post(PAY, status=status, json={"error": error})
    with pytest.raises(errors.GatewayError) as caught:
        pay(gateway)
    assert type(caught.value) is expected


def test_waiting_for_a_rate_limit_repeats_the_same_key(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(PAY, status=429, json={"error": {}})
    stripe_api.post(PAY, json={**PAID, "payments": PAYMENTS})
    assert isinstance(pay(gateway), Paid)
    assert {call.request.headers["Idempotency-Key"] for call in stripe_api.calls} == {"org:in_1:1"}


@pytest.mark.parametrize(
    ("intent_status", "expected"),
    [("processing", Processing), ("requires_action", ActionRequired), ("requires_payment_method", Declined)],
)
def test_a_good_answer_with_an_open_invoice_is_read_from_its_intent(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, intent_status: str, expected: type[PayResult]
) -> None:
    stripe_api.post(PAY, json={**OPEN, "payment_intent": "pi_1"})
    failure = {"code": "card_declined", "decline_code": "insufficient_funds"}
    intent = {**INTENT, "status": intent_status, "last_payment_error": failure}
    stripe_api.get(f"{API}/payment_intents/pi_1", json=intent)
    stripe_api.get(f"{API}/charges/ch_1", json=CHARGE)
    result = pay(gateway)
    assert isinstance(result, expected)
    if isinstance(result, Declined):
        assert result.signals.decline_code == "insufficient_funds"
        assert (result.payment_intent_id, result.charge_id) == ("pi_1", "ch_1")


def test_an_open_invoice_whose_intent_cannot_be_read_is_left_to_later_events(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe_api.post(PAY, json={**OPEN, "payment_intent": "pi_1"})
    stripe_api.get(f"{API}/payment_intents/pi_1", status=500)
    assert isinstance(pay(gateway), Processing)


def test_charges_come_oldest_first_over_all_pages(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    newest = {
        "data": [{"id": "ch_3", "created": 30}, {"id": "ch_2", "created": 20}],
        "has_more": True,
        "object": "list",
    }
    stripe_api.get(f"{API}/charges", json=newest)
    stripe_api.get(
        f"{API}/charges", json={"data": [{"id": "ch_1", "created": 10}], "has_more": False, "object": "list"}
    )
    assert [charge.id for charge in gateway.list_charges("pi_1")] == ["ch_1", "ch_2", "ch_3"]
    assert "starting_after=ch_2" in str(stripe_api.calls[1].request.url)
