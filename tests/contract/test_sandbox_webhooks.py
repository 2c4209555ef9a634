"""Webhooks leave signed, in order, again when they were not taken, and go astray when told to."""

import json
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
    """Keeps what arrives; answers with `status`."""

    def __init__(self, server: HTTPServer) -> None:
        self.arrived: list[tuple[bytes, str]] = []
        self.status = 200
        server.expect_request("/hook").respond_with_handler(self._take)
        self.url = server.url_for("/hook")

    def _take(self, request: Request) -> Response:
        self.arrived.append((request.get_data(), request.headers["Stripe-Signature"]))
        return Response(status=self.status)

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body, _ in self.arrived]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    running = run_in_thread(tmp_path, SandboxClock(tmp_path / "clock.json"))
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: RunningSandbox) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


def control(sandbox: RunningSandbox, path: str, /, **body: Any) -> dict[str, Any]:
    answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def turn(sandbox: RunningSandbox, by: timedelta) -> None:
    control(sandbox, "clock", to=(sandbox.world.clock.now() + by).isoformat())


def listen(client: stripe.StripeClient, receiver: Receiver, *types: str) -> str:
    endpoint = client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": list(types) or ["*"]}  # type: ignore[typeddict-item]
    )
    assert endpoint.secret
    assert "secret" not in client.v1.webhook_endpoints.retrieve(endpoint.id)
    return endpoint.secret


def test_a_failed_renewal_is_told_in_order_and_signed(
    sandbox: RunningSandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    secret = listen(client, receiver, "customer.subscription.updated", "invoice.payment_failed", "charge.failed")
    made = control(sandbox, "customers", name="Hooks")
    control(sandbox, "fail", customer=made["customer"], decline_code="do_not_honor")
    until(lambda: "invoice.payment_failed" in receiver.types())
    assert receiver.types()[-3:] == ["charge.failed", "customer.subscription.updated", "invoice.payment_failed"]
    past_due = json.loads(receiver.arrived[-2][0])
    assert past_due["data"]["object"]["status"] == "past_due"
    assert past_due["data"]["previous_attributes"] == {"status": "active"}
    for body, signature in receiver.arrived:
        assert stripe.WebhookSignature.verify_header(body.decode(), signature, secret, 300)
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.WebhookSignature.verify_header(body.decode(), signature, "whsec_other", 300)


def test_an_untaken_webhook_comes_again_with_a_new_signature_until_it_is_taken(
    sandbox: RunningSandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    secret = listen(client, receiver, "customer.created")
    receiver.status = 500
    client.v1.customers.create({"name": "Again"})
    until(lambda: len(receiver.arrived) >= 1)
    event = json.loads(receiver.arrived[0][0])
    assert client.v1.events.retrieve(event["id"]).pending_webhooks == 1
    assert [found.id for found in client.v1.events.list({"delivery_success": False}).data] == [event["id"]]
    turn(sandbox, timedelta(minutes=2))
    receiver.status = 200
    turn(sandbox, timedelta(hours=1))
    until(lambda: client.v1.events.retrieve(event["id"]).pending_webhooks == 0)
    assert {json.loads(body)["id"] for body, _ in receiver.arrived} == {event["id"]}
    assert len({signature for _, signature in receiver.arrived}) == len(receiver.arrived) >= 3
    body, signature = receiver.arrived[-1]
    now = int(sandbox.world.clock.now().timestamp())
    assert now - int(signature.split(",")[0].removeprefix("t=")) < 2 * 3600
    assert stripe.WebhookSignature.verify_header(body.decode(), signature, secret, None)


def test_after_three_days_nobody_tries_any_more(
    sandbox: RunningSandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    listen(client, receiver, "customer.created")
    receiver.status = 503
    client.v1.customers.create({"name": "Never"})
    turn(sandbox, timedelta(days=4))
    tries = len(receiver.arrived)
    assert 8 <= tries <= 20
    turn(sandbox, timedelta(days=4))
    assert len(receiver.arrived) == tries
    assert len(client.v1.events.list({"delivery_success": False}).data) == 1


def test_webhooks_go_lost_and_come_twice_on_demand(
    sandbox: RunningSandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    listen(client, receiver, "customer.created", "customer.updated")
    control(sandbox, "faults", kind="lost_webhook", count=1, path="customer.created")
    control(sandbox, "faults", kind="double_webhook", count=1, path="customer.updated")
    customer = client.v1.customers.create({"name": "Before"})
    client.v1.customers.update(customer.id, {"name": "After"})
    until(lambda: len(receiver.arrived) == 2)
    assert receiver.types() == ["customer.updated", "customer.updated"]
    believed = client.v1.events.list({"delivery_success": True, "types": ["customer.created"]}).data
    assert [event.data.object["id"] for event in believed] == [customer.id]  # by Stripe, that it has arrived
    assert client.v1.events.list({"delivery_success": False}).data == []


def test_turning_the_clock_lets_the_receiver_see_each_event_at_its_moment(
    sandbox: RunningSandbox, client: stripe.StripeClient, receiver: Receiver
) -> None:
    secret = listen(client, receiver, "invoice.payment_failed")
    made = control(sandbox, "customers", name="Moments")
    control(sandbox, "fail", customer=made["customer"])
    turn(sandbox, timedelta(days=20))
    counts = [json.loads(body)["data"]["object"]["attempt_count"] for body, _ in receiver.arrived]
    assert counts == list(range(1, 10))
    for body, signature in receiver.arrived:
        stamped = int(signature.split(",")[0].removeprefix("t="))
        assert abs(stamped - json.loads(body)["created"]) < 60
        assert stripe.WebhookSignature.verify_header(body.decode(), signature, secret, None)


def test_an_endpoint_for_an_event_that_does_not_exist_is_refused(client: stripe.StripeClient) -> None:
    wanted: Any = {"url": "https://example.com/hook", "enabled_events": ["invoice.paid", "customer.nope"]}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.webhook_endpoints.create(wanted)
    assert (refused.value.http_status, refused.value.param) == (400, "enabled_events[1]")
