"""Every kind of answer of the sandbox validates against Stripe's own OpenAPI document, where that is at hand."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from app.clock import SandboxClock
from app.sandbox.billing import cycles
from app.sandbox.server import RunningSandbox, run_in_thread

SPEC = Path(__file__).parents[2].parent / "shared" / "stripe" / "spec3.json"
KEY = {"Authorization": "Bearer sk_test_sandbox"}

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="Stripe's OpenAPI document is not beside the project")


@cache
def spec() -> dict[str, Any]:
    return orjson.loads(SPEC.read_bytes())


def with_nulls(schema: Any) -> Any:
    """OpenAPI 3.0 writes `nullable` beside `anyOf`, which JSON Schema does not know."""
    if isinstance(schema, list):
        return [with_nulls(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: with_nulls(value) for key, value in schema.items() if not key.startswith("x-")}
    if inner.get("nullable") is True:
        del inner["nullable"]
        return {"anyOf": [{"type": "null"}, inner]}
    return inner


@cache
def registry() -> Registry[Any]:
    schemas = with_nulls(spec()["components"]["schemas"])
    contents = {"components": {"schemas": schemas}}
    return Registry().with_resource("urn:stripe", Resource.from_contents(contents, DRAFT202012))


@cache
def validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"urn:stripe#/components/schemas/{schema}"}, registry=registry())


def problems(schema: str, document: dict[str, Any]) -> list[str]:
    deepest = [best_match([error]) for error in validator(schema).iter_errors(document)]
    found = [f"{error.json_path}: {error.message[:200]}" for error in deepest]
    known = spec()["components"]["schemas"][schema].get("properties", {})
    return sorted({*found, *(f"{name} is no field of {schema}" for name in document if name not in known)})


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    home = tmp_path_factory.mktemp("shapes")
    running = run_in_thread(home, SandboxClock(home / "clock.json"))
    yield running
    running.stop()


def get(sandbox: RunningSandbox, path: str) -> dict[str, Any]:
    answer = requests.get(sandbox.url + path, headers=KEY, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(sandbox: RunningSandbox, path: str, form: dict[str, Any] | None = None, status: int = 200) -> dict[str, Any]:
    answer = requests.post(sandbox.url + path, data=form or {}, headers=KEY, timeout=10)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def failed(sandbox: RunningSandbox) -> dict[str, Any]:
    """A customer whose renewal has just failed."""
    made = requests.post(sandbox.url + "/_sandbox/customers", json={"name": "Shape Tester"}, timeout=10).json()
    failure = requests.post(sandbox.url + "/_sandbox/fail", json={"customer": made["customer"]}, timeout=10).json()
    post(
        sandbox,
        "/v1/webhook_endpoints",
        {"url": "http://127.0.0.1:9/none", "enabled_events[]": "payout.paid", "api_version": "2026-08-26.dahlia"},
    )
    post(sandbox, "/v1/invoiceitems", {"customer": made["customer"], "amount": "700", "currency": "usd"})
    post(sandbox, "/v1/setup_intents", {"customer": made["customer"]})
    post(
        sandbox,
        "/v1/checkout/sessions",
        {"mode": "setup", "customer": made["customer"], "currency": "usd", "success_url": "http://127.0.0.1:9/ok"},
    )
    post(sandbox, "/v1/subscription_schedules", {"from_subscription": made["subscription"]})
    post(sandbox, "/v1/coupons", {"id": "SHAPES", "percent_off": "10", "duration": "forever"})
    post(sandbox, f"/v1/subscriptions/{made['subscription']}", {"discounts[0][coupon]": "SHAPES"})
    post(sandbox, f"/v1/customers/{made['customer']}/balance_transactions", {"amount": "-100", "currency": "usd"})
    post(sandbox, "/v1/credit_notes", {"invoice": failure["invoice"], "amount": "100"})
    refused = {"customer": made["customer"], "payment_method": "pm_card_chargeDeclined", "confirm": "true"}
    assert problems("error", post(sandbox, "/v1/setup_intents", refused, status=402)) == []
    asked = {**refused, "payment_method": "pm_card_authenticationRequiredOnSetup"}
    post(sandbox, "/v1/setup_intents", asked)
    control = f"{sandbox.url}/_sandbox/invoices/{made['invoice']}"
    requests.post(f"{control}/fraud-warning", json={}, timeout=10).raise_for_status()
    post(
        sandbox,
        "/v1/refunds",
        {"charge": get(sandbox, f"/v1/charges?customer={made['customer']}")["data"][-1]["id"], "amount": "100"},
    )
    requests.post(f"{control}/dispute", json={}, timeout=10).raise_for_status()
    return {**made, **failure}


LISTS = {
    "customers": "customer",
    "payment_methods": "payment_method",
    "products": "product",
    "prices": "price",
    "subscriptions": "subscription",
    "subscription_schedules": "subscription_schedule",
    "invoices": "invoice",
    "invoiceitems": "invoiceitem",
    "invoice_payments": "invoice_payment",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
    "setup_intents": "setup_intent",
    "checkout/sessions": "checkout.session",
    "webhook_endpoints": "webhook_endpoint",
    "events": "event",
    "coupons": "coupon",
    "credit_notes": "credit_note",
    "radar/early_fraud_warnings": "radar.early_fraud_warning",
}


@pytest.mark.parametrize("path", LISTS)
def test_every_listed_object_validates_against_stripes_document(
    sandbox: RunningSandbox, failed: dict[str, Any], path: str
) -> None:
    listed = get(sandbox, f"/v1/{path}?limit=100")
    assert listed["data"], f"nothing was made of {path}"
    assert listed["object"] == "list"
    assert {problem for entry in listed["data"] for problem in problems(LISTS[path], entry)} == set()


def test_the_objects_inside_events_validate(sandbox: RunningSandbox, failed: dict[str, Any]) -> None:
    events = get(sandbox, "/v1/events?limit=100")["data"]
    objects = [event["data"]["object"] for event in events if event["type"] != "invoice.upcoming"]
    assert {problem for entry in objects for problem in problems(entry["object"], entry)} == set()


def test_what_belongs_to_one_customer_validates(sandbox: RunningSandbox, failed: dict[str, Any]) -> None:
    entries = get(sandbox, f"/v1/customers/{failed['customer']}/balance_transactions")["data"]
    assert [problems("customer_balance_transaction", entry) for entry in entries] == [[]]
    path = f"/v1/subscriptions/{failed['subscription']}?expand[]=discounts"
    discounts = get(sandbox, path)["discounts"]
    assert [problems("discount", discount) for discount in discounts] == [[]]
    gone = requests.delete(
        f"{sandbox.url}/v1/subscriptions/{failed['subscription']}/discount", headers=KEY, timeout=10
    ).json()
    assert problems("deleted_discount", gone) == []


def test_a_preview_validates_and_so_does_what_is_announced_but_for_its_id(
    sandbox: RunningSandbox, failed: dict[str, Any]
) -> None:
    preview = post(sandbox, "/v1/invoices/create_preview", {"subscription": failed["subscription"]})
    assert problems("invoice", preview) == []
    made = requests.post(sandbox.url + "/_sandbox/customers", json={"interval": "day"}, timeout=10).json()
    with sandbox.world.transaction() as ledger:
        cycles.announce_renewal(ledger, ledger.get("subscription", made["subscription"]))
    announced = get(sandbox, "/v1/events?type=invoice.upcoming")["data"][0]["data"]["object"]
    assert problems("invoice", announced) == ["$: 'id' is a required property"]
    assert problems("invoice", {**announced, "id": "upcoming_in_1"}) == []


def test_every_event_type_is_one_that_stripe_knows(sandbox: RunningSandbox, failed: dict[str, Any]) -> None:
    operation = spec()["paths"]["/v1/webhook_endpoints"]["post"]["requestBody"]["content"]
    schema = operation["application/x-www-form-urlencoded"]["schema"]
    known = set(schema["properties"]["enabled_events"]["items"]["enum"])
    assert {event["type"] for event in get(sandbox, "/v1/events?limit=100")["data"]} <= known


def test_an_invoice_with_its_payments_expanded_validates(sandbox: RunningSandbox, failed: dict[str, Any]) -> None:
    path = (
        f"/v1/invoices/{failed['invoice']}?expand[]=payments.data.payment.payment_intent&expand[]=confirmation_secret"
    )
    invoice = get(sandbox, path)
    assert problems("invoice", invoice) == []
    assert (
        invoice["payments"]["data"][0]["payment"]["payment_intent"]["client_secret"]
        == (invoice["confirmation_secret"]["client_secret"])
    )


def test_a_declined_payment_answers_with_an_error_that_validates(
    sandbox: RunningSandbox, failed: dict[str, Any]
) -> None:
    body = post(sandbox, f"/v1/invoices/{failed['invoice']}/pay", {"off_session": "true"}, status=402)
    assert problems("error", body) == []
    assert body["error"]["payment_intent"]["status"] == "requires_payment_method"


def test_the_account_and_a_portal_session_validate(sandbox: RunningSandbox, failed: dict[str, Any]) -> None:
    assert problems("account", get(sandbox, "/v1/account")) == []
    portal = post(
        sandbox,
        "/v1/billing_portal/sessions",
        {"customer": failed["customer"], "flow_data[type]": "payment_method_update"},
    )
    assert problems("billing_portal.session", portal) == []
