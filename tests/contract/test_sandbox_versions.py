"""An account of 2020-08-27 is answered, and told, in the shapes of its time; nobody else notices."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.clock import SandboxClock
from app.sandbox.server import RunningSandbox, run_in_thread

OLD, NEW = "2020-08-27", "2026-08-26.dahlia"
RECORDED = Path(__file__).parents[2].parent / "shared" / "stripe" / "payloads"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    running = run_in_thread(tmp_path, SandboxClock(tmp_path / "clock.json"))
    yield running
    running.stop()


def control(sandbox: RunningSandbox, path: str, /, **body: Any) -> Any:
    answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def client_of(sandbox: RunningSandbox, version: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        "sk_test_sandbox", stripe_version=version, base_addresses={"api": sandbox.url}, max_network_retries=0
    )


@pytest.fixture
def failed(sandbox: RunningSandbox) -> dict[str, Any]:
    made: dict[str, Any] = control(sandbox, "customers")
    return made | control(sandbox, "fail", customer=made["customer"])


def test_an_old_invoice_names_its_subscription_its_payment_and_its_charge(
    sandbox: RunningSandbox, failed: dict[str, Any]
) -> None:
    invoice = client_of(sandbox, OLD).v1.invoices.retrieve(failed["invoice"]).to_dict()
    assert (invoice["subscription"], invoice["charge"]) == (failed["subscription"], failed["charge"])
    assert (invoice["paid"], invoice["paid_out_of_band"]) == (False, False)
    assert invoice["payment_intent"].startswith("pi_")
    assert not {"parent", "total_taxes", "amount_overpaid", "payments"} & invoice.keys()
    (line,) = invoice["lines"]["data"]
    assert (line["type"], line["subscription"], line["proration"]) == ("subscription", failed["subscription"], False)
    assert line["price"]["unit_amount"] == line["plan"]["amount"] == invoice["total"]
    assert "parent" not in line
    new = client_of(sandbox, NEW).v1.invoices.retrieve(failed["invoice"]).to_dict()
    assert new["parent"]["subscription_details"]["subscription"] == failed["subscription"]
    assert not {"subscription", "charge", "paid", "payment_intent"} & new.keys()


def test_old_expansions_lead_through_old_fields(sandbox: RunningSandbox, failed: dict[str, Any]) -> None:
    client = client_of(sandbox, OLD)
    expand = {"expand": ["latest_invoice.payment_intent.latest_charge", "latest_invoice.charge"]}
    subscription = client.v1.subscriptions.retrieve(failed["subscription"], expand).to_dict()
    intent = subscription["latest_invoice"]["payment_intent"]
    assert intent["invoice"] == intent["latest_charge"]["invoice"] == failed["invoice"]
    assert intent["charges"]["data"][0]["id"] == failed["charge"] == subscription["latest_invoice"]["charge"]["id"]
    assert subscription["current_period_start"] < subscription["current_period_end"]
    assert "current_period_end" not in subscription["items"]["data"][0]
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.invoices.retrieve(failed["invoice"], {"expand": ["parent.subscription_details.subscription"]})
    with pytest.raises(stripe.InvalidRequestError):
        client_of(sandbox, NEW).v1.invoices.retrieve(failed["invoice"], {"expand": ["payment_intent"]})
    listed = client.v1.invoices.list({"customer": failed["customer"], "expand": ["data.payment_intent"]}).to_dict()
    assert [entry["payment_intent"]["object"] for entry in listed["data"]] == ["payment_intent"] * 2


def test_an_accounts_version_holds_for_its_events_and_for_who_names_none(sandbox: RunningSandbox) -> None:
    control(sandbox, "api-version", version=OLD)
    made = control(sandbox, "customers")
    control(sandbox, "fail", customer=made["customer"])
    control(sandbox, "api-version", version=NEW)
    newer = control(sandbox, "customers")
    client = client_of(sandbox, NEW)
    events = [event.to_dict() for event in client.v1.events.list({"type": "invoice.finalized"}).data]
    assert [event["api_version"] for event in events] == [NEW, OLD, OLD]
    assert [event["data"]["object"].get("subscription") for event in events] == [None, *[made["subscription"]] * 2]
    assert client.v1.events.retrieve(events[1]["id"]).to_dict()["data"] == events[1]["data"]
    renewed = client.v1.events.list({"type": "customer.subscription.updated", "limit": 100}).data
    told = [event.to_dict()["data"] for event in renewed if event.api_version == OLD]
    moved = [data for data in told if "current_period_end" in data["previous_attributes"]]
    assert moved
    for data in moved:
        assert data["object"]["current_period_end"] > data["previous_attributes"]["current_period_end"]
    control(sandbox, "api-version", version=OLD)
    plain = requests.get(
        f"{sandbox.url}/v1/invoices/{newer['invoice']}", headers={"Authorization": "Bearer sk_test_sandbox"}, timeout=10
    )
    assert plain.json()["subscription"] == newer["subscription"]
    assert plain.headers["Stripe-Version"] == OLD


def test_each_endpoint_is_told_in_its_own_version(sandbox: RunningSandbox, httpserver: HTTPServer) -> None:
    arrived: dict[str, dict[str, Any]] = {}

    def take(request: Request) -> Response:
        arrived[request.path] = json.loads(request.get_data())
        return Response()

    for path, version in (("/old", OLD), ("/new", NEW), ("/account", None)):
        httpserver.expect_request(path).respond_with_handler(take)
        wanted = {"url": httpserver.url_for(path), "enabled_events": ["invoice.payment_failed"]}
        client_of(sandbox, NEW).v1.webhook_endpoints.create(
            {**wanted, **({"api_version": version} if version else {})}  # type: ignore[typeddict-item]
        )
    made = control(sandbox, "customers")
    failed = control(sandbox, "fail", customer=made["customer"])
    deadline = time.monotonic() + 20
    while len(arrived) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert {path: event["api_version"] for path, event in arrived.items()} == {
        "/old": OLD,
        "/new": NEW,
        "/account": NEW,
    }
    assert len({event["id"] for event in arrived.values()}) == 1
    assert arrived["/old"]["data"]["object"]["charge"] == failed["charge"]
    assert arrived["/old"]["data"]["object"]["subscription"] == made["subscription"]
    assert "charge" not in arrived["/new"]["data"]["object"]


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded payloads are not here")
@pytest.mark.parametrize("kind", ["invoice", "subscription", "charge", "payment_intent"])
def test_ours_has_every_field_that_recorded_payloads_of_that_time_have(
    sandbox: RunningSandbox, failed: dict[str, Any], kind: str
) -> None:
    recorded = [
        body["data"]["object"]
        for path in RECORDED.rglob("*.json")
        if isinstance(body := json.loads(path.read_text()), dict)
        and body.get("api_version") == OLD
        and body["data"]["object"].get("object") == kind
    ]
    if not recorded:
        pytest.skip(f"no recorded {kind} of {OLD}")
    client = client_of(sandbox, OLD)
    invoice = client.v1.invoices.retrieve(failed["invoice"]).to_dict()
    ours = {
        "invoice": lambda: invoice,
        "subscription": lambda: client.v1.subscriptions.retrieve(failed["subscription"]).to_dict(),
        "charge": lambda: client.v1.charges.retrieve(failed["charge"]).to_dict(),
        "payment_intent": lambda: client.v1.payment_intents.retrieve(invoice["payment_intent"]).to_dict(),
    }[kind]()
    lacking = set.union(*(set(entry) for entry in recorded)) - ours.keys()
    assert lacking == set()
