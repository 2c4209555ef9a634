"""A reading goes on without the parts that a server does not have, and waits for those it cannot give right now."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from app.recovery.reading import read_invoice
from app.stripe_gateway.errors import NotFound, RetryLater
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.snapshots import Signals

API = "http://stripe.test"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
INVOICE = {
    "id": "in_1",
    "object": "invoice",
    "status": "open",
    "customer": "cus_1",
    "subscription": "sub_1",
    "payment_intent": "pi_1",
    "default_payment_method": "pm_1",
    "amount_remaining": 4900,
    "currency": "usd",
}
WHOLE: dict[str, dict[str, Any]] = {
    "/v1/invoices/in_1": INVOICE,
    "/v1/customers/cus_1": {"id": "cus_1", "object": "customer"},
    "/v1/subscriptions/sub_1": {"id": "sub_1", "object": "subscription", "status": "past_due"},
    "/v1/charges": {"object": "list", "data": []},
    "/v1/payment_intents/pi_1": {"id": "pi_1", "object": "payment_intent", "status": "requires_payment_method"},
    "/v1/payment_methods/pm_1": {"id": "pm_1", "object": "payment_method", "type": "card"},
}
FAILURE = {"code": "card_declined", "decline_code": "lost_card", "payment_method": {"id": "pm_1", "card": {}}}


@pytest.fixture
def stripe_api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def gateway(stripe_api: responses.RequestsMock) -> StripeGateway:
    return StripeGateway("rk_test_1", api_base=API)


def serve(mock: responses.RequestsMock, *, without: str = "", status: int = 404, **changed: dict[str, Any]) -> None:
    """Answer everything but `without`, which is answered by `status`; `changed` replaces by the path's last part."""
    for path, found in WHOLE.items():
        if path == without:
            mock.get(API + path, status=status, body="")
        else:
            mock.get(API + path, json={**found, **changed.get(path.rsplit("/")[-1], {})})


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/v1/subscriptions/sub_1", "subscription"),
        ("/v1/payment_intents/pi_1", "intent"),
        ("/v1/payment_methods/pm_1", "payment_method"),
        ("/v1/charges", "charges"),
    ],
)
@pytest.mark.parametrize("status", [400, 404, 405, 500, 501])
def test_what_a_server_does_not_have_is_left_out(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, path: str, part: str, status: int
) -> None:
    serve(stripe_api, without=path, status=status)
    reading = read_invoice(gateway, "in_1", NOW)
    assert not getattr(reading, part)
    assert (reading.invoice.id, reading.payment_method_id) == ("in_1", "pm_1")


@pytest.mark.parametrize("path", sorted(WHOLE))
def test_what_a_server_cannot_give_right_now_is_waited_for(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, path: str
) -> None:
    serve(stripe_api, without=path, status=503)
    with pytest.raises(RetryLater):
        read_invoice(gateway, "in_1", NOW)


@pytest.mark.parametrize("path", ["/v1/invoices/in_1", "/v1/customers/cus_1"])
def test_without_the_invoice_or_its_customer_there_is_no_reading(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, path: str
) -> None:
    serve(stripe_api, without=path)
    with pytest.raises(NotFound):
        read_invoice(gateway, "in_1", NOW)


@pytest.mark.parametrize(("named", "expected"), [({"charge": "ch_1"}, "ch_1"), ({}, "pi_1")])
def test_a_failure_that_no_charge_shows_is_told_by_its_intent(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, named: dict[str, str], expected: str
) -> None:
    serve(stripe_api, pi_1={"last_payment_error": {**FAILURE, **named}})
    (charge,) = read_invoice(gateway, "in_1", NOW).charges
    assert (charge.id, charge.status, charge.created, charge.amount) == (expected, "failed", NOW, 4900)
    assert charge.signals == Signals(code="card_declined", decline_code="lost_card")
    assert charge.payment_method_id == "pm_1"


def test_an_invoice_that_names_its_charge_alone_is_read_with_it(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    serve(stripe_api, in_1={"payment_intent": None, "charge": "ch_1"})
    stripe_api.get(f"{API}/v1/charges/ch_1", json={"id": "ch_1", "object": "charge", "status": "failed"})
    reading = read_invoice(gateway, "in_1", NOW)
    assert [charge.id for charge in reading.charges] == ["ch_1"]
    assert reading.intent is None


def test_a_charge_without_its_outcome_is_read_with_what_the_intent_remembers(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    charge = {
        "id": "ch_1",
        "object": "charge",
        "status": "failed",
        "failure_code": "card_declined",
        "created": 1793577600,
    }
    remembered = {"latest_charge": "ch_1", "last_payment_error": {**FAILURE, "decline_code": "stolen_card"}}
    serve(stripe_api, charges={"data": [{**charge, "outcome": None}]}, pi_1=remembered)
    (read,) = read_invoice(gateway, "in_1", NOW).charges
    assert (read.id, read.signals.code, read.signals.decline_code) == ("ch_1", "card_declined", "stolen_card")


def test_an_outcome_that_is_told_stands_alone(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    outcome = {"type": "blocked", "reason": "highest_risk_level", "network_status": "not_sent_to_network"}
    charge = {"id": "ch_1", "object": "charge", "status": "failed", "failure_code": "card_declined", "outcome": outcome}
    serve(stripe_api, charges={"data": [charge]}, pi_1={"last_payment_error": FAILURE})
    (read,) = read_invoice(gateway, "in_1", NOW).charges
    assert (read.signals.outcome_type, read.signals.decline_code) == ("blocked", None)


@pytest.mark.parametrize("created", [None, 0, 1_900_000_000])
def test_a_charge_without_a_possible_date_was_made_when_it_was_seen(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, created: int | None
) -> None:
    charge = {"id": "ch_1", "object": "charge", "status": "failed", "created": created}
    serve(stripe_api, charges={"data": [charge]})
    assert [read.created for read in read_invoice(gateway, "in_1", NOW).charges] == [NOW]
