"""Trouble on demand through the control API: it strikes where and as long as it was asked to, and is seen and ended."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.clock import SandboxClock
from app.sandbox.server import RunningSandbox, run_in_thread


class Desk:
    """The control API, and Stripe's own through its client."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self.client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)

    def ask(self, method: str, path: str, /, **body: Any) -> dict[str, Any]:
        answer = requests.request(method, f"{self.sandbox.url}/_sandbox/{path}", json=body or None, timeout=30)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def fault(self, kind: str, **terms: Any) -> str:
        return str(self.ask("POST", "faults", kind=kind, **terms)["added"])

    def turn(self, by: timedelta) -> None:
        self.ask("POST", "clock", to=(self.sandbox.world.clock.now() + by).isoformat())


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    running = run_in_thread(tmp_path, SandboxClock(tmp_path / "clock.json"))
    yield Desk(running)
    running.stop()


@pytest.fixture
def arrived(desk: Desk, httpserver: HTTPServer) -> list[tuple[str, datetime]]:
    """Every webhook's type, and the sandbox's moment at which it came."""
    seen: list[tuple[str, datetime]] = []

    def take(request: Request) -> Response:
        seen.append((json.loads(request.get_data())["type"], desk.sandbox.world.clock.now()))
        return Response(status=200)

    httpserver.expect_request("/hook").respond_with_handler(take)
    desk.client.v1.webhook_endpoints.create({"url": httpserver.url_for("/hook"), "enabled_events": ["*"]})
    return seen


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_late_webhook_comes_once_and_late_by_the_sandboxs_clock(
    desk: Desk, arrived: list[tuple[str, datetime]]
) -> None:
    desk.fault("late_webhook", path="customer.created", seconds=7200)
    begin = desk.sandbox.world.clock.now()
    customer = desk.client.v1.customers.create({"name": "Late"})
    desk.client.v1.customers.update(customer.id, {"name": "In time"})
    until(lambda: len(arrived) == 1)
    desk.turn(timedelta(hours=1))
    assert [kind for kind, _ in arrived] == ["customer.updated"]
    desk.turn(timedelta(hours=2))
    until(lambda: len(arrived) == 2)
    kind, came_at = arrived[1]
    assert kind == "customer.created"
    assert timedelta(hours=2, seconds=-1) <= came_at - begin < timedelta(hours=2, minutes=5)  # whole seconds
    assert desk.ask("GET", "clock")["pending_deliveries"] == 0


def test_a_fault_ends_by_the_sandboxs_clock(desk: Desk) -> None:
    desk.fault("http_429", minutes=30)
    with pytest.raises(stripe.RateLimitError):
        desk.client.v1.customers.list()
    desk.turn(timedelta(minutes=31))
    assert desk.client.v1.customers.list().data == []
    assert desk.ask("GET", "faults")["faults"] == []


def test_what_is_on_is_listed_with_how_often_it_struck_and_ends_one_by_one(desk: Desk) -> None:
    first, second = desk.fault("http_500", path="/v1/prices"), desk.fault("slow", rate=0.5, seconds=0)
    with pytest.raises(stripe.APIError):
        desk.client.v1.prices.list()
    listed = {entry["id"]: entry for entry in desk.ask("GET", "faults")["faults"]}
    assert (listed[first]["struck"], listed[second]["rate"], listed[second]["seconds"]) == (1, 0.5, 0)
    assert list(desk.ask("DELETE", f"faults/{first}")["faults"]) == [
        entry for entry in desk.ask("GET", "faults")["faults"] if entry["id"] == second
    ]
    assert desk.client.v1.prices.list().data == []
    gone = requests.delete(f"{desk.sandbox.url}/_sandbox/faults/{first}", timeout=10)
    assert (gone.status_code, first in gone.json()["error"]["message"]) == (404, True)
    assert desk.ask("DELETE", "faults")["faults"] == []


@pytest.mark.parametrize(("kind", "charges"), [("cut_before", 0), ("cut_after", 1)])
def test_a_connection_is_cut_before_or_after_the_charge(desk: Desk, kind: str, charges: int) -> None:
    made = desk.ask("POST", "customers")
    failed = desk.ask("POST", "fail", customer=made["customer"], script=["insufficient_funds", "approve"])
    desk.fault(kind, path="/pay", count=1)
    with pytest.raises(stripe.APIConnectionError):
        desk.client.v1.invoices.pay(failed["invoice"], options={"idempotency_key": "once"})
    books = {entry["invoice"]: entry for entry in desk.ask("GET", "books")["invoices"]}
    assert books[failed["invoice"]]["successful_charges"] == charges
    paid = desk.client.v1.invoices.pay(failed["invoice"], options={"idempotency_key": "once"})
    assert paid.status == "paid"
    books = {entry["invoice"]: entry for entry in desk.ask("GET", "books")["invoices"]}
    assert books[failed["invoice"]]["successful_charges"] == 1


def test_the_same_seed_strikes_the_same_requests(desk: Desk) -> None:
    def run() -> list[bool]:
        fault, struck = desk.fault("http_429", rate=0.4, seed=5), []
        for _ in range(25):
            try:
                desk.client.v1.customers.list()
                struck.append(False)
            except stripe.RateLimitError:
                struck.append(True)
        desk.ask("DELETE", f"faults/{fault}")
        return struck

    first = run()
    assert run() == first
    assert 3 < sum(first) < 20


def test_part_of_the_banks_can_be_away_and_come_back(desk: Desk) -> None:
    until_moment = desk.ask("POST", "outage", minutes=120, share=0.5)["until"]
    assert desk.ask("GET", "faults")["issuers_away_until"] == until_moment
    desk.ask("DELETE", "outage")
    assert desk.ask("GET", "faults")["issuers_away_until"] is None
    assert desk.ask("POST", "customers")["subscription"]


def test_stories_and_crowds_are_made_through_the_api(desk: Desk) -> None:
    names = [told["name"] for told in desk.ask("GET", "stories")["stories"]]
    assert len(names) >= 10
    begun = desk.ask("POST", "stories/lost-card")
    invoice = desk.client.v1.invoices.retrieve(begun["customers"][0]["invoice"])
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    made = desk.ask("POST", "population", customers=60, behaviours={"uk_eu": 3, "us_consumer": 1})["customers"]
    assert len({entry["customer"] for entry in made}) == 60
    described = desk.ask("GET", f"customers/{made[0]['customer']}/payer")
    assert described["behaviour"] in ("uk_eu", "us_consumer")
    assert len(described["chances"]) == 28
    assert all(0 <= chance <= 1 for chance in described["chances"].values())
    refused = requests.post(f"{desk.sandbox.url}/_sandbox/population", json={"behaviours": "marsians"}, timeout=10)
    assert "us_consumer" in refused.json()["error"]["message"]
