"""Restricted keys, rate limits, connected accounts: who may see what, and how often."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from app.clock import SandboxClock
from app.sandbox.errors import StripeRefusal
from app.sandbox.rate_limits import RateLimits, Rates
from app.sandbox.server import RunningSandbox, run_in_thread
from app.sandbox.world import PLATFORM


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    home: Path = tmp_path_factory.mktemp("access")
    running = run_in_thread(home, SandboxClock(home / "clock.json"))
    yield running
    running.stop()


def control(sandbox: RunningSandbox, path: str, method: str = "POST", /, on: str = "", **body: Any) -> Any:
    headers = {"Stripe-Account": on} if on else {}
    answer = requests.request(method, f"{sandbox.url}/_sandbox/{path}", json=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def client_of(sandbox: RunningSandbox, key: str = "sk_test_sandbox", account: str | None = None) -> stripe.StripeClient:
    return stripe.StripeClient(key, stripe_account=account, base_addresses={"api": sandbox.url}, max_network_retries=0)


def test_a_restricted_key_is_told_which_permission_it_lacks(sandbox: RunningSandbox) -> None:
    made = control(sandbox, "customers")
    key = control(sandbox, "keys", permissions={"invoice": "read", "customer": "write"})["id"]
    client = client_of(sandbox, key)
    client.v1.invoices.retrieve(made["invoice"])
    client.v1.customers.update(made["customer"], {"name": "Allowed"})
    assert client.v1.customers.retrieve(made["customer"]).name == "Allowed"  # write includes read
    for forbidden, name in (
        (lambda: client.v1.invoices.void_invoice(made["invoice"]), "rak_invoice_write"),
        (lambda: client.v1.subscriptions.list(), "rak_subscription_read"),
        (lambda: client.v1.prices.list(), "rak_plan_read"),
        (lambda: client.v1.webhook_endpoints.list(), "rak_webhook_read"),
        (lambda: client.v1.test_helpers.test_clocks.list(), "rak_billing_clock_read"),
    ):
        with pytest.raises(stripe.PermissionError) as caught:
            forbidden()
        assert caught.value.http_status == 403
        assert f"'{name}'" in str(caught.value)
        assert key not in str(caught.value)
        assert key[-6:] in str(caught.value)
        assert caught.value.error.type == "invalid_request_error"


def test_permissions_of_a_key_can_be_changed_and_the_key_revoked(sandbox: RunningSandbox) -> None:
    key = control(sandbox, "keys", permissions={})["id"]
    client = client_of(sandbox, key)
    with pytest.raises(stripe.PermissionError):
        client.v1.events.list()
    control(sandbox, f"keys/{key}", permissions={"event": "read"})
    client.v1.events.list()
    control(sandbox, f"keys/{key}", "DELETE")
    with pytest.raises(stripe.AuthenticationError) as caught:
        client.v1.events.list()
    assert caught.value.error.code == "api_key_expired"


def test_a_permission_that_does_not_exist_is_refused_by_name(sandbox: RunningSandbox) -> None:
    wish = {"permissions": {"invoises": "read"}}
    answer = requests.post(f"{sandbox.url}/_sandbox/keys", json=wish, timeout=10)
    assert answer.status_code == 400
    assert "invoises" in answer.json()["error"]["message"]


def test_a_refused_request_is_no_first_use_of_its_idempotency_key(sandbox: RunningSandbox) -> None:
    key = control(sandbox, "keys", permissions={})["id"]
    client = client_of(sandbox, key)
    with pytest.raises(stripe.PermissionError):
        client.v1.customers.create({"name": "Later"}, {"idempotency_key": "refused-first"})
    control(sandbox, f"keys/{key}", permissions={"customer": "write"})
    assert client.v1.customers.create({"name": "Later"}, {"idempotency_key": "refused-first"}).name == "Later"


def test_too_many_requests_a_second_are_refused_and_say_by_which_limit(sandbox: RunningSandbox) -> None:
    client = client_of(sandbox)
    control(sandbox, "rate-limits", account=100, endpoint=3)
    try:
        with pytest.raises(stripe.RateLimitError) as caught:
            _ask_often(client)
        assert caught.value.error.code == "rate_limit"
        assert caught.value.headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
        client.v1.prices.list()  # another operation
    finally:
        assert control(sandbox, "rate-limits", "DELETE") == {"rate_limits": None}
    _ask_often(client)


def _ask_often(client: stripe.StripeClient) -> None:
    for _ in range(15):
        client.v1.events.list()


def test_a_bucket_holds_one_second_and_fills_again() -> None:
    limits = RateLimits()
    limits.switch(Rates(account=25, endpoint=5, search=2))
    for _ in range(5):
        limits.admit("acct_1", "GET /v1/invoices", now=10.0)
    with pytest.raises(StripeRefusal):
        limits.admit("acct_1", "GET /v1/invoices", now=10.0)
    limits.admit("acct_2", "GET /v1/invoices", now=10.0)  # limits are each account's own
    limits.admit("acct_1", "GET /v1/invoices", now=10.3)
    for _ in range(2):
        limits.admit("acct_1", "GET /v1/customers/search", now=10.3)
    with pytest.raises(StripeRefusal):
        limits.admit("acct_1", "GET /v1/customers/search", now=10.3)
    with pytest.raises(StripeRefusal) as caught:
        [limits.admit("acct_1", f"GET /v1/things/{number}", now=10.3) for number in range(30)]
    assert caught.value.headers == {"Stripe-Rate-Limited-Reason": "global-rate"}


def test_a_connected_account_has_a_space_of_its_own(sandbox: RunningSandbox) -> None:
    account = control(sandbox, "accounts", name="Northwind")["id"]
    here, there = client_of(sandbox), client_of(sandbox, account=account)
    made = control(sandbox, "customers", on=account, name="Over there")
    assert there.v1.customers.retrieve(made["customer"]).name == "Over there"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        here.v1.customers.retrieve(made["customer"])
    assert caught.value.code == "resource_missing"
    assert there.v1.accounts.retrieve_current().id == account
    assert there.v1.accounts.retrieve_current().settings.dashboard.display_name == "Northwind"
    assert here.v1.accounts.retrieve_current().id == PLATFORM
    assert account in [entry.id for entry in here.v1.accounts.list().data]
    assert {event.account for event in there.v1.events.list().data} == {account}
    assert account not in [getattr(event, "account", None) for event in here.v1.events.list({"limit": 100}).data]
    # One key, two accounts: two requests.
    first = here.v1.customers.create({"name": "Here"}, {"idempotency_key": "both"})
    assert there.v1.customers.create({"name": "There"}, {"idempotency_key": "both"}).id != first.id


def test_an_account_that_is_not_connected_is_refused(sandbox: RunningSandbox) -> None:
    account = control(sandbox, "accounts")["id"]
    client_of(sandbox, account=account).v1.customers.list()
    control(sandbox, f"accounts/{account}", "DELETE")
    for name in (account, "acct_unheard_of"):
        with pytest.raises(stripe.PermissionError) as caught:
            client_of(sandbox, account=name).v1.customers.list()
        assert (caught.value.http_status, caught.value.error.code) == (403, "account_invalid")
        assert name in str(caught.value)
    with pytest.raises(stripe.PermissionError):
        client_of(sandbox).v1.accounts.retrieve(account)
