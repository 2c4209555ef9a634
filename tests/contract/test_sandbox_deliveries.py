"""Who receives what: slow neighbours, rolled secrets, switched-off endpoints, thin events, connected accounts."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.clock import SandboxClock
from app.sandbox.server import RunningSandbox, run_in_thread


class Receiver:
    """Keeps what arrives at `path`; holds its answer back while `held` is clear."""

    def __init__(self, server: HTTPServer, path: str) -> None:
        self.arrived: list[tuple[bytes, str]] = []
        self.status, self.held = 200, threading.Event()
        self.held.set()
        server.expect_request(path).respond_with_handler(self._take)
        self.url = server.url_for(path)

    def _take(self, request: Request) -> Response:
        self.arrived.append((request.get_data(), request.headers["Stripe-Signature"]))
        self.held.wait(timeout=20)
        return Response(status=self.status)

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.arrived]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    running = run_in_thread(tmp_path, SandboxClock(tmp_path / "clock.json"))
    yield running
    running.stop()


@pytest.fixture
def receivers() -> Iterator[Callable[[str], Receiver]]:
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        made: list[Receiver] = []

        def receiver(path: str) -> Receiver:
            made.append(Receiver(server, path))
            return made[-1]

        yield receiver
        for one in made:
            one.held.set()


def client_of(sandbox: RunningSandbox, account: str | None = None) -> stripe.StripeClient:
    return stripe.StripeClient(
        "sk_test_sandbox", stripe_account=account, base_addresses={"api": sandbox.url}, max_network_retries=0
    )


def control(sandbox: RunningSandbox, path: str, method: str = "POST", /, **body: Any) -> Any:
    answer = requests.request(method, f"{sandbox.url}/_sandbox/{path}", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def turn(sandbox: RunningSandbox, **by: float) -> None:
    control(sandbox, "clock", to=(sandbox.world.clock.now() + timedelta(**by)).isoformat())


def listen(client: stripe.StripeClient, url: str, *types: str, connect: bool = False) -> Any:
    return client.v1.webhook_endpoints.create(
        {"url": url, "enabled_events": list(types) or ["*"], "connect": connect}  # type: ignore[typeddict-item]
    )


def test_a_slow_receiver_holds_up_nobody_else_and_stays_pending(
    sandbox: RunningSandbox, receivers: Callable[[str], Receiver]
) -> None:
    slow, quick, client = receivers("/slow"), receivers("/quick"), client_of(sandbox)
    slow.held.clear()
    listen(client, slow.url, "customer.created")
    listen(client, quick.url, "customer.created")
    for number in range(5):
        client.v1.customers.create({"name": f"Nr {number}"})
    until(lambda: len(quick.arrived) == 5 and len(slow.arrived) == 1)
    names = [event["data"]["object"]["name"] for event in quick.bodies()]
    assert names == [f"Nr {number}" for number in range(5)]
    until(lambda: control(sandbox, "clock", "GET")["pending_deliveries"] == 5)
    slow.held.set()
    until(lambda: control(sandbox, "clock", "GET")["pending_deliveries"] == 0)
    assert len(slow.arrived) == 5


def test_a_rolled_secret_signs_beside_the_new_one_for_a_day(
    sandbox: RunningSandbox, receivers: Callable[[str], Receiver]
) -> None:
    receiver, client = receivers("/rolled"), client_of(sandbox)
    endpoint = listen(client, receiver.url, "customer.created")
    new = control(sandbox, f"webhook-endpoints/{endpoint.id}/roll", hours=24)["secret"]
    client.v1.customers.create({"name": "Both"})
    until(lambda: len(receiver.arrived) == 1)
    turn(sandbox, hours=25)
    client.v1.customers.create({"name": "New alone"})
    until(lambda: len(receiver.arrived) == 2)
    verify = stripe.WebhookSignature.verify_header
    for body, signature in receiver.arrived:
        assert verify(body.decode(), signature, new, None)
    (body, both), (later, alone) = receiver.arrived
    assert (both.count("v1="), alone.count("v1=")) == (2, 1)
    assert verify(body.decode(), both, endpoint.secret, None)
    with pytest.raises(stripe.SignatureVerificationError):
        verify(later.decode(), alone, endpoint.secret, None)


def test_a_disabled_endpoint_loses_what_it_had_not_received_and_the_events_stay_undelivered(
    sandbox: RunningSandbox, receivers: Callable[[str], Receiver]
) -> None:
    receiver, client = receivers("/disabled"), client_of(sandbox)
    receiver.status = 500
    endpoint = listen(client, receiver.url, "customer.created")
    client.v1.customers.create({"name": "Lost"})
    until(lambda: len(receiver.arrived) == 1)
    client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    receiver.status = 200
    client.v1.webhook_endpoints.update(endpoint.id, {"disabled": False})
    turn(sandbox, days=4)
    assert len(receiver.arrived) == 1
    missed = client.v1.events.list({"delivery_success": False}).data
    assert [event.type for event in missed] == ["customer.created"]


def test_a_thin_event_arrives_signed_and_leads_to_the_event_and_to_its_object(
    sandbox: RunningSandbox, receivers: Callable[[str], Receiver]
) -> None:
    receiver, client = receivers("/thin"), client_of(sandbox)
    destination = client.v2.core.event_destinations.create(
        {
            "name": "Thin",
            "type": "webhook_endpoint",
            "event_payload": "thin",
            "enabled_events": ["v1.invoice.payment_failed"],
            "webhook_endpoint": {"url": receiver.url},
            "include": ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
        }
    )
    assert destination.webhook_endpoint.url == receiver.url
    made = control(sandbox, "customers")
    failed = control(sandbox, "fail", customer=made["customer"])
    until(lambda: len(receiver.arrived) == 1)
    body, signature = receiver.arrived[0]
    secret = destination.webhook_endpoint.signing_secret
    notice = client.parse_event_notification(body, signature, secret)
    assert notice.type == "v1.invoice.payment_failed"
    assert set(json.loads(body)).isdisjoint({"data", "api_version"})
    assert notice.fetch_related_object().id == failed["invoice"]
    assert notice.fetch_event().id == notice.id
    with pytest.raises(ValueError):
        client.construct_event(body, signature, secret)
    kept = client.v2.core.event_destinations.retrieve(destination.id)
    assert kept.webhook_endpoint.signing_secret is None
    client.v2.core.event_destinations.disable(destination.id)
    other = control(sandbox, "customers")
    control(sandbox, "fail", customer=other["customer"])
    assert [entry.status for entry in client.v2.core.event_destinations.list().data] == ["disabled"]
    assert control(sandbox, "clock", "GET")["pending_deliveries"] == 0
    assert len(receiver.arrived) == 1


def test_a_connect_endpoint_hears_of_connected_accounts_and_no_other_does(
    sandbox: RunningSandbox, receivers: Callable[[str], Receiver]
) -> None:
    own, connect, client = receivers("/own"), receivers("/connect"), client_of(sandbox)
    listen(client, own.url, "customer.created")
    listen(client, connect.url, "customer.created", "account.application.deauthorized", connect=True)
    account = control(sandbox, "accounts", name="Northwind")["id"]
    client.v1.customers.create({"name": "Platform's"})
    client_of(sandbox, account).v1.customers.create({"name": "Theirs"})
    until(lambda: len(own.arrived) == len(connect.arrived) == 1)
    assert [(event["data"]["object"]["name"], event.get("account")) for event in own.bodies()] == [("Platform's", None)]
    assert [(event["data"]["object"]["name"], event["account"]) for event in connect.bodies()] == [("Theirs", account)]
    control(sandbox, f"accounts/{account}", "DELETE")
    until(lambda: len(connect.arrived) == 2)
    assert connect.bodies()[-1]["type"] == "account.application.deauthorized"
    assert connect.bodies()[-1]["account"] == account


def test_time_passes_for_connected_accounts_too_and_also_after_a_restart(tmp_path: Path) -> None:
    clock = SandboxClock(tmp_path / "clock.json")
    first = run_in_thread(tmp_path, clock)
    account = control(first, "accounts")["id"]
    headers = {"Stripe-Account": account}
    made = requests.post(f"{first.url}/_sandbox/customers", json={}, headers=headers, timeout=30).json()
    first.stop()
    second = run_in_thread(tmp_path, clock)
    try:
        turn(second, days=32)
        invoices = client_of(second, account).v1.invoices.list({"customer": made["customer"]}).data
        assert [invoice.status for invoice in invoices] == ["paid", "paid"]
    finally:
        second.stop()
