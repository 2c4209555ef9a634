"""Test clocks: a customer on one lives in its time, whatever the account's own clock says."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from app.clock import SandboxClock
from app.sandbox.server import RunningSandbox, run_in_thread
from app.sandbox.world import World

START = 1_798_700_000  # 2026-12-31
DAY = 86_400


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    running = run_in_thread(tmp_path, SandboxClock(tmp_path / "clock.json"))
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: RunningSandbox) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)


def made_clock(client: stripe.StripeClient) -> str:
    return client.v1.test_helpers.test_clocks.create({"frozen_time": START, "name": "A year's end"}).id


def subscribed(client: stripe.StripeClient, clock: str, card: str = "pm_card_visa") -> Any:
    customer = client.v1.customers.create({"test_clock": clock, "email": "clock@example.com"})
    method = client.v1.payment_methods.attach(card, {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    product = client.v1.products.create({"name": "Clockwork"})
    price = client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 1500, "recurring": {"interval": "month"}}
    )
    return client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})


def advance(client: stripe.StripeClient, clock: str, to: int) -> Any:
    clocks = client.v1.test_helpers.test_clocks
    assert clocks.advance(clock, {"frozen_time": to}).status == "advancing"
    deadline = time.monotonic() + 20
    while (now := clocks.retrieve(clock)).status == "advancing":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return now


def test_everything_of_a_customer_on_a_clock_happens_at_the_clocks_time(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    clock = made_clock(client)
    subscription = subscribed(client, clock)
    assert (subscription.created, subscription.test_clock) == (START, clock)
    client.v1.products.create({"name": "Elsewhere"})
    assert advance(client, clock, START + 32 * DAY).frozen_time == START + 32 * DAY
    invoices = client.v1.invoices.list({"subscription": subscription.id}).data
    assert [(invoice.status, invoice.test_clock) for invoice in invoices] == [("paid", clock)] * 2
    renewal = invoices[0]
    assert START + 28 * DAY <= renewal.created <= START + 31 * DAY
    assert renewal.status_transitions.paid_at == renewal.created + 3600
    # Events are dated by the account's own time, as an independent client of Stripe's test clocks relies on.
    event = client.v1.events.list({"type": "invoice.paid", "limit": 1}).data[0]
    assert abs(event.created - sandbox.world.now()) < 120


def test_the_accounts_clock_moves_nothing_on_a_test_clock(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    clock = made_clock(client)
    subscription = subscribed(client, clock)
    to = (sandbox.world.clock.now() + timedelta(days=25)).isoformat()
    assert requests.post(f"{sandbox.url}/_sandbox/clock", json={"to": to}, timeout=30).ok
    assert client.v1.test_helpers.test_clocks.retrieve(clock).frozen_time == START
    assert len(client.v1.invoices.list({"subscription": subscription.id}).data) == 1


def test_what_is_done_by_the_control_api_happens_at_the_clocks_time(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    subscription = subscribed(client, made_clock(client))
    wish = {"customer": subscription.customer}
    failed = requests.post(f"{sandbox.url}/_sandbox/fail", json=wish, timeout=30).json()
    assert client.v1.invoices.retrieve(failed["invoice"]).created == START
    assert START < failed["next_payment_attempt"] < START + 3 * DAY


def test_a_clock_refuses_to_go_back_or_too_far(client: stripe.StripeClient) -> None:
    clock = made_clock(client)
    subscribed(client, clock)
    for target in (START, START - 1, START + 70 * DAY):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.test_helpers.test_clocks.advance(clock, {"frozen_time": target})
        assert caught.value.param == "frozen_time"
    empty = made_clock(client)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.test_helpers.test_clocks.advance(empty, {"frozen_time": START + 3 * 365 * DAY})
    assert advance(client, empty, START + 700 * DAY).status == "ready"


def test_nothing_on_an_advancing_clock_can_be_changed(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    clock = made_clock(client)
    subscription = subscribed(client, clock)
    sandbox.app.extensions["sandbox"].stop()  # nobody moves the clock on
    client.v1.test_helpers.test_clocks.advance(clock, {"frozen_time": START + DAY})
    with pytest.raises(stripe.RateLimitError, match="advancement underway"):
        client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe.RateLimitError, match="advancement underway"):
        client.v1.test_helpers.test_clocks.delete(clock)
    with pytest.raises(stripe.InvalidRequestError, match="`advancing`") as caught:
        client.v1.test_helpers.test_clocks.advance(clock, {"frozen_time": START + 2 * DAY})
    assert caught.value.http_status == 400
    moving = client.v1.test_helpers.test_clocks.retrieve(clock).to_dict()
    assert moving["status_details"] == {"advancing": {"target_frozen_time": START + DAY}}
    assert client.v1.customers.create({"name": "In the account's own time"}).test_clock is None


def test_a_clock_that_was_on_its_way_when_the_sandbox_stopped_arrives_after_the_restart(tmp_path: Path) -> None:
    settings = SandboxClock(tmp_path / "clock.json")
    first = run_in_thread(tmp_path, settings)
    client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": first.url})
    clock = made_clock(client)
    subscription = subscribed(client, clock)
    first.app.extensions["sandbox"].stop()
    client.v1.test_helpers.test_clocks.advance(clock, {"frozen_time": START + 40 * DAY})
    first.stop()
    second = run_in_thread(tmp_path, settings)
    try:
        client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": second.url})
        deadline = time.monotonic() + 20
        while client.v1.test_helpers.test_clocks.retrieve(clock).status != "ready":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert len(client.v1.invoices.list({"subscription": subscription.id}).data) == 2
    finally:
        second.stop()


def test_deleting_a_clock_deletes_what_lives_on_it_and_nothing_else(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    other = requests.post(f"{sandbox.url}/_sandbox/customers", json={}, timeout=30).json()
    clock = made_clock(client)
    subscription = subscribed(client, clock)
    assert [entry.id for entry in client.v1.customers.list({"test_clock": clock}).data] == [subscription.customer]
    assert [entry.id for entry in client.v1.customers.list().data] == [other["customer"]]
    assert [entry.id for entry in client.v1.subscriptions.list().data] == [other["subscription"]]
    client.v1.test_helpers.test_clocks.delete(clock)
    for read, identifier in (
        (client.v1.subscriptions.retrieve, subscription.id),
        (client.v1.customers.retrieve, str(subscription.customer)),
        (client.v1.invoices.retrieve, str(subscription.latest_invoice)),
        (client.v1.test_helpers.test_clocks.retrieve, clock),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            read(identifier)
        assert caught.value.code == "resource_missing"
    assert _left_of(sandbox.world, str(subscription.customer)) == 0
    assert client.v1.subscriptions.retrieve(other["subscription"]).status == "active"
    types = [event.type for event in client.v1.events.list({"types": ["test_helpers.test_clock.deleted"]}).data]
    assert types == ["test_helpers.test_clock.deleted"]


def test_a_clock_deletes_itself_after_thirty_days(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    clock = made_clock(client)
    to = (sandbox.world.clock.now() + timedelta(days=31)).isoformat()
    assert requests.post(f"{sandbox.url}/_sandbox/clock", json={"to": to}, timeout=30).ok
    assert client.v1.test_helpers.test_clocks.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.test_helpers.test_clocks.retrieve(clock)


def _left_of(world: World, customer: str) -> int:
    rows = world.store.fetch("select count(*) from objects where customer = ?", customer)
    timers = world.store.fetch("select count(*) from timers where clock is not null")
    return int(rows[0][0]) + int(timers[0][0])
