"""An independent runner of billing scenarios, written against Stripe's test clocks, finds nothing to object to."""

from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pytest
import requests
import stripe
from billing_e2e import runner, scenario

from app.clock import SandboxClock
from app.sandbox.server import RunningSandbox, run_in_thread

KEY = "sk_test_sandbox"
SCENARIOS = ("cancel-at-period-end", "failed-renewal", "plan-change", "renewal", "signup-card-problems")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    home = tmp_path_factory.mktemp("independent")
    running = run_in_thread(home, SandboxClock(home / "clock.json"))
    # As at Stripe, where a card that declines everything cannot even be attached.
    settings = {"attach_checks_card": True}
    requests.post(f"{running.url}/_sandbox/settings", json=settings, timeout=10).raise_for_status()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def client(sandbox: RunningSandbox) -> stripe.StripeClient:
    return stripe.StripeClient(KEY, base_addresses={"api": sandbox.url}, max_network_retries=2)


@pytest.fixture(scope="module")
def prices(client: stripe.StripeClient) -> dict[str, str]:
    product = client.v1.products.create({"name": "Independent"})
    amounts = {"monthly_price": 2000, "upgrade_price": 5000}
    return {
        name: client.v1.prices.create(
            {"product": product.id, "currency": "usd", "unit_amount": amount, "recurring": {"interval": "month"}}
        ).id
        for name, amount in amounts.items()
    }


def test_the_runner_brings_the_five_scenarios_that_are_run_here() -> None:
    brought = {Path(str(entry)).stem for entry in (files("billing_e2e") / "scenarios").iterdir()}
    assert brought == set(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_of_the_independent_runner_passes(
    client: stripe.StripeClient, prices: dict[str, str], name: str
) -> None:
    with as_file(files("billing_e2e") / "scenarios" / f"{name}.yml") as path:
        played = scenario.load_scenario(path)
    config = scenario.Config(stripe_key=KEY, vars=prices)
    player = runner.Runner(config, client)
    try:
        result = player.run(played)
    finally:
        player.http.close()
    assert result.passed, [
        *result.errors,
        *(f"{step.label}: {step.detail}" for step in result.steps if not step.passed),
    ]
    assert len(result.steps) == len(played.steps)


def test_nothing_of_the_runner_is_left_behind(client: stripe.StripeClient) -> None:
    assert client.v1.test_helpers.test_clocks.list().data == []
    assert client.v1.customers.list().data == []
    assert client.v1.subscriptions.list({"status": "all"}).data == []
    assert client.v1.invoices.list().data == []
