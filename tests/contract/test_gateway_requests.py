"""Every request the gateway can make is one that Stripe's OpenAPI document of the pinned version describes.

Each public call of the gateway is listed here with what makes it go through all its branches; a call without an entry
fails. A parameter that Stripe does not know fails, too, as does one of a wrong kind.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import responses

from app.stripe_gateway.client import API_VERSION
from app.stripe_gateway.events import ENABLED_EVENTS
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.readers import read_subscription

SPEC = Path(__file__).parents[2].parent / "shared" / "stripe" / "spec3.json"
BASE = "http://stripe.test"
FORM = "application/x-www-form-urlencoded"
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
# These ask Stripe nothing.
PURE = {"find_effective_payment_method_id"}

pytestmark = pytest.mark.skipif(not SPEC.exists(), reason="Stripe's OpenAPI document is not beside this checkout")

ITEM = {"id": "si_1", "quantity": 2, "price": {"id": "price_1"}, "current_period_end": 1_790_000_000}
PLAIN = {
    "id": "sub_1",
    "object": "subscription",
    "status": "past_due",
    "items": {"data": [ITEM, {**ITEM, "id": "si_2"}]},
}
OWN_DEFAULT = {**PLAIN, "default_payment_method": "pm_dead"}
FIRST_PHASE = {
    "start_date": 1_780_000_000,
    "end_date": 1_800_000_000,
    "currency": "usd",
    "add_invoice_items": [],
    "application_fee_percent": None,
    "automatic_tax": {"enabled": True, "liability": {"type": "self"}, "disabled_reason": None},
    "billing_cycle_anchor": "phase_start",
    "billing_thresholds": {"amount_gte": 5000, "reset_billing_cycle_anchor": False},
    "collection_method": "charge_automatically",
    "default_payment_method": {"id": "pm_1", "object": "payment_method"},
    "default_tax_rates": [{"id": "txr_1", "object": "tax_rate", "percentage": 19}],
    "description": "the plan agreed on",
    "discounts": [{"coupon": {"id": "C10", "object": "coupon"}, "discount": None, "promotion_code": None}],
    "invoice_settings": {"account_tax_ids": None, "days_until_due": None, "issuer": {"type": "self"}},
    "items": [
        {
            "billing_thresholds": None,
            "discounts": [{"coupon": None, "discount": "di_1", "promotion_code": None}],
            "metadata": {"seat": "x"},
            "plan": "price_1",
            "price": {"id": "price_1", "object": "price"},
            "quantity": 2,
            "tax_rates": [{"id": "txr_1", "object": "tax_rate"}],
        }
    ],
    "metadata": {"a": "b"},
    "on_behalf_of": None,
    "proration_behavior": "create_prorations",
    "transfer_data": None,
    "trial_end": None,
}
SECOND_PHASE = {
    "start_date": 1_800_000_000,
    "end_date": 1_830_000_000,
    "add_invoice_items": [
        {
            "discounts": [],
            "metadata": {},
            "period": {"start": {"type": "phase_start"}, "end": {"type": "phase_end", "timestamp": None}},
            "price": "price_3",
            "quantity": 1,
            "tax_rates": None,
        }
    ],
    "items": [{"price": "price_2", "quantity": 1}],
}
SCHEDULE = {
    "id": "sub_sched_1",
    "object": "subscription_schedule",
    "status": "active",
    "end_behavior": "release",
    "current_phase": {"start_date": 1_780_000_000, "end_date": 1_800_000_000},
    "phases": [FIRST_PHASE, SECOND_PHASE],
}
SCHEDULED = {**PLAIN, "schedule": SCHEDULE}
DECLINE = {"code": "card_declined", "charge": "ch_1", "payment_intent": {"id": "pi_1", "latest_charge": "ch_1"}}

plain, scheduled = read_subscription(PLAIN), read_subscription(SCHEDULED)
changed = read_subscription(
    {**PLAIN, "items": {"data": [{**ITEM, "quantity": 9}, {"id": "si_9", "price": {"id": "p"}}]}}
)
KEY: dict[str, Any] = {"idempotency_key": "organization:invoice:1"}

Call = Callable[[StripeGateway], Any]
CALLS: dict[str, list[Call]] = {
    "cancel_subscription": [lambda g: g.cancel_subscription("sub_1", **KEY)],
    "cancel_subscription_at_period_end": [
        lambda g: g.cancel_subscription_at_period_end(plain, **KEY),
        lambda g: g.cancel_subscription_at_period_end(scheduled, **KEY),
    ],
    "change_price": [
        lambda g: g.change_price(plain, "price_free", **KEY),
        lambda g: g.change_price(scheduled, "price_free", **KEY),
    ],
    "create_card_setup_session": [
        lambda g: g.create_card_setup_session(
            customer_id="cus_1",
            currency="eur",
            success_url="https://pay.test/done?session={CHECKOUT_SESSION_ID}",
            cancel_url="https://pay.test/",
            metadata={"recoup_case": "17"},
        )
    ],
    "create_webhook_endpoint": [lambda g: g.create_webhook_endpoint("https://recoup.test/webhooks/stripe/1")],
    "find_invoice_id": [
        lambda g: g.find_invoice_id(payment_intent_id="pi_1"),
        lambda g: g.find_invoice_id(payment_intent_id="pi_without_payments"),
    ],
    "get_account": [lambda g: g.get_account()],
    "get_charge": [lambda g: g.get_charge("ch_1")],
    "get_bill": [lambda g: g.get_bill("in_1")],
    "get_card_setup": [lambda g: g.get_card_setup("cs_1")],
    "get_customer": [lambda g: g.get_customer("cus_1")],
    "get_invoice": [lambda g: g.get_invoice("in_1")],
    "get_payment_intent": [lambda g: g.get_payment_intent("pi_1")],
    "get_payment_method": [lambda g: g.get_payment_method("pm_1")],
    "get_plan": [lambda g: g.get_plan("price_1")],
    "create_setup_intent": [
        lambda g: g.create_setup_intent(customer_id="cus_1", metadata={"recoup_case": "1"}, **KEY),
    ],
    "get_setup_intent": [lambda g: g.get_setup_intent("seti_1")],
    "get_subscription": [lambda g: g.get_subscription("sub_1"), lambda g: g.get_subscription("sub_scheduled")],
    "find_plan_name": [lambda g: g.find_plan_name("price_1")],
    "find_customer_of_charge": [lambda g: g.find_customer_of_charge("ch_1")],
    "events_page": [
        lambda g: g.events_page(("invoice.paid",), created_after=MOMENT, undelivered_only=True),
        lambda g: g.events_page(("invoice.paid",), created_after=MOMENT, newer_than="evt_1"),
        lambda g: g.events_page(("invoice.paid",), created_after=MOMENT, cursor="evt_1"),
    ],
    "charged_next_page": [
        lambda g: g.charged_next_page(after=MOMENT, until=MOMENT),
        lambda g: g.charged_next_page(after=MOMENT, until=MOMENT, cursor="sub_1"),
    ],
    "subscribers_page": [lambda g: g.subscribers_page(), lambda g: g.subscribers_page(cursor="sub_1")],
    "invoices_by_hand_page": [lambda g: g.invoices_by_hand_page(), lambda g: g.invoices_by_hand_page(cursor="in_1")],
    "failed_charges_page": [lambda g: g.failed_charges_page(created_after=MOMENT, cursor="ch_1")],
    "invoices_page": [
        lambda g: g.invoices_page(created_after=MOMENT, open_only=True),
        lambda g: g.invoices_page(created_after=MOMENT, cursor="in_1"),
    ],
    "list_charges": [lambda g: g.list_charges("pi_1")],
    "list_open_invoices": [lambda g: g.list_open_invoices(customer_id="cus_1")],
    "list_subscriptions": [lambda g: g.list_subscriptions("cus_1")],
    "list_webhook_endpoints": [lambda g: g.list_webhook_endpoints()],
    "mark_uncollectible": [lambda g: g.mark_uncollectible("in_1")],
    "missing_permissions": [lambda g: g.missing_permissions()],
    "pause_collection": [
        lambda g: g.pause_collection("sub_1", "keep_as_draft", **KEY),
        lambda g: g.pause_collection("sub_1", "mark_uncollectible", **KEY),
        lambda g: g.pause_collection("sub_1", "void", resumes_at=MOMENT, **KEY),
    ],
    "pay_invoice": [
        lambda g: g.pay_invoice("in_1", payment_method_id="pm_1", **KEY),
        lambda g: g.pay_invoice("in_1", **KEY),
        lambda g: g.pay_invoice("in_declined", **KEY),
    ],
    "restore_items": [
        lambda g: g.restore_items(changed, **KEY),
        lambda g: g.restore_items(scheduled, **KEY),
    ],
    "resume_automatic_collection": [lambda g: g.resume_automatic_collection("in_1")],
    "resume_collection": [lambda g: g.resume_collection("sub_1", **KEY)],
    "set_default_payment_method": [lambda g: g.set_default_payment_method("cus_1", "pm_new")],
    "stop_automatic_collection": [lambda g: g.stop_automatic_collection("in_1")],
    "undo_cancel_at_period_end": [
        lambda g: g.undo_cancel_at_period_end(plain, **KEY),
        lambda g: g.undo_cancel_at_period_end(scheduled, **KEY),
    ],
    "void_invoice": [lambda g: g.void_invoice("in_1")],
}
ANSWERS: dict[str, dict[str, Any]] = {
    "/v1/checkout/sessions/cs_1": {"id": "cs_1", "setup_intent": "seti_1"},
    "/v1/invoice_payments": {"data": [{"id": "inpay_1", "invoice": "in_1"}]},
    "/v1/invoices/in_1/pay": {"id": "in_1", "status": "open", "payment_intent": "pi_1"},
    "/v1/subscription_schedules/sub_sched_1": SCHEDULE,
    "/v1/subscriptions": {"data": [OWN_DEFAULT]},
    "/v1/subscriptions/sub_1": PLAIN,
    "/v1/subscriptions/sub_scheduled": {**PLAIN, "schedule": "sub_sched_1"},
}


def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
    url = urlsplit(str(request.url))
    if url.path == "/v1/invoices/in_declined/pay":
        return 402, {}, json.dumps({"error": DECLINE})
    if "pi_without_payments" in url.query:
        return 200, {}, '{"data": []}'
    return 200, {}, json.dumps(ANSWERS.get(url.path, {"id": url.path.rsplit("/")[-1], "data": []}))


@pytest.fixture
def stripe_api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        for method in ("GET", "POST", "DELETE"):
            mock.add_callback(method, re.compile(f"{BASE}/.*"), answer)
        mock.assert_all_requests_are_fired = False
        yield mock


@cache
def spec() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SPEC.read_text())
    return document


def operation(method: str, path: str) -> dict[str, Any]:
    """The description of a request; a literal path goes before one with a placeholder."""
    paths = spec()["paths"]
    fitting = [known for known in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), path)]
    described = [
        known for known in sorted(fitting, key=lambda known: known.count("{")) if method.lower() in paths[known]
    ]
    assert described, f"Stripe has no {method} {path}"
    found: dict[str, Any] = paths[described[0]][method.lower()]
    return found


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """`a[b][0]=c` as `{"a": {"b": {"0": "c"}}}`."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        *steps, last = re.findall(r"[^\[\]]+", name)
        branch = tree
        for step in steps:
            branch = branch.setdefault(step, {})
        branch[last] = value
    return tree


def problems(value: Any, schema: dict[str, Any], where: str) -> list[str]:
    """What of a form value does not fit a schema of Stripe's; unknown keys do not fit."""
    if "anyOf" in schema:
        found = [problems(value, choice, where) for choice in schema["anyOf"]]
        return min(found, key=len)
    kind = schema.get("type", "string")
    if kind == "array":
        if not isinstance(value, dict) or set(value) != {str(index) for index in range(len(value))}:
            return [f"{where} is no list"]
        return [text for key, entry in value.items() for text in problems(entry, schema["items"], f"{where}[{key}]")]
    if kind == "object":
        return object_problems(value, schema, where)
    fits = {"string": ".*", "integer": r"-?\d+", "number": r"-?\d+(\.\d+)?", "boolean": "true|false"}[kind]
    if not isinstance(value, str) or not re.fullmatch(fits, value, re.DOTALL):
        return [f"{where} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} cannot be {value!r}"]
    return [f"{where} is too long"] if len(value) > schema.get("maxLength", len(value)) else []


def object_problems(value: Any, schema: dict[str, Any], where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    found = [f"{where} lacks {name}" for name in schema.get("required", []) if name not in value]
    for name, entry in value.items():
        described = known.get(name) or (others if isinstance(others, dict) else None)
        found += problems(entry, described, f"{where}.{name}") if described else [f"{where} knows no {name}"]
    return found


def request_problems(request: requests.PreparedRequest) -> list[str]:
    url = urlsplit(str(request.url))
    described = operation(str(request.method), url.path)
    if request.method == "GET":
        asked = {one["name"]: one["schema"] for one in described.get("parameters", []) if one["in"] == "query"}
        schema = {"type": "object", "properties": asked}
        sent = parse_qsl(url.query, keep_blank_values=True)
    else:
        schema = described["requestBody"]["content"][FORM]["schema"]
        sent = parse_qsl(str(request.body or "") or url.query, keep_blank_values=True)
    return problems(nested(sent), schema, f"{request.method} {url.path}")


def test_every_public_call_of_the_gateway_has_its_requests_checked() -> None:
    public = {name for name in dir(StripeGateway) if not name.startswith("_")}
    assert public - PURE == set(CALLS)


@pytest.mark.parametrize("name", sorted(CALLS))
def test_stripe_would_understand_every_request_of(name: str, stripe_api: responses.RequestsMock) -> None:
    for call in CALLS[name]:
        call(StripeGateway("rk_test_1", api_base=BASE))
    sent = [call.request for call in stripe_api.calls]
    assert sent
    assert [text for request in sent for text in request_problems(request)] == []
    assert {request.headers["Stripe-Version"] for request in sent} == {API_VERSION}


@pytest.mark.parametrize("name", sorted(name for name, calls in CALLS.items() if "KEY" in calls[0].__code__.co_names))
def test_what_must_not_happen_twice_carries_the_callers_key(name: str, stripe_api: responses.RequestsMock) -> None:
    for call in CALLS[name]:
        call(StripeGateway("rk_test_1", api_base=BASE))
    writes = [call.request for call in stripe_api.calls if call.request.method != "GET"]
    assert writes
    keys = [str(request.headers["Idempotency-Key"]) for request in writes]
    assert all(key.startswith(KEY["idempotency_key"]) and len(key) <= 255 for key in keys)


def test_the_pinned_version_is_the_one_of_the_document() -> None:
    assert spec()["info"]["version"] == API_VERSION


def test_the_events_we_ask_for_exist() -> None:
    schema = operation("POST", "/v1/webhook_endpoints")["requestBody"]["content"][FORM]["schema"]
    known = schema["properties"]["enabled_events"]["items"]["enum"]
    assert set(ENABLED_EVENTS) <= set(known)


@pytest.mark.parametrize(
    ("method", "url", "body", "complaint"),
    [
        ("POST", "/v1/invoices/in_1/pay", "payment_methd=pm_1", "knows no payment_methd"),
        ("POST", "/v1/invoices/in_1", "auto_advance=maybe", "is no boolean"),
        ("POST", "/v1/subscriptions/sub_1", "pause_collection[behavior]=sleep", "cannot be 'sleep'"),
        ("POST", "/v1/subscriptions/sub_1", "items[0][prise]=p", "knows no prise"),
        ("GET", "/v1/invoices?statu=open", None, "knows no statu"),
        ("DELETE", "/v1/subscriptions/sub_1?comment=x", None, "knows no comment"),
    ],
)
def test_a_wrong_request_is_noticed(method: str, url: str, body: str | None, complaint: str) -> None:
    request = requests.Request(method, BASE + url, data=body).prepare()
    assert complaint in " ".join(request_problems(request))
