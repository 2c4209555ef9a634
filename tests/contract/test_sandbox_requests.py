"""The sandbox answers Stripe's own client as Stripe does: keys, refusals, pages, repeated and broken requests."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import stripe

from app.clock import SandboxClock
from app.sandbox.permissions import OWN
from app.sandbox.server import RunningSandbox, run_in_thread


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    home = tmp_path_factory.mktemp("requests")
    running = run_in_thread(home, SandboxClock(home / "clock.json"))
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: RunningSandbox) -> stripe.StripeClient:
    return client_of(sandbox, "sk_test_sandbox")


def client_of(sandbox: RunningSandbox, key: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        key, base_addresses={"api": sandbox.url}, stripe_version="2026-08-26.dahlia", max_network_retries=0
    )


def control(sandbox: RunningSandbox, path: str, method: str = "POST", /, **body: Any) -> dict[str, Any]:
    answer = requests.request(method, f"{sandbox.url}/_sandbox/{path}", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def failed(sandbox: RunningSandbox) -> Iterator[dict[str, Any]]:
    """A customer whose renewal was declined for insufficient funds."""
    made = control(sandbox, "customers", name="Requests")
    yield made | control(sandbox, "fail", customer=made["customer"], decline_code="insufficient_funds")
    control(sandbox, "faults", "DELETE")


def charges_of(client: stripe.StripeClient, failed: dict[str, Any]) -> list[Any]:
    invoice = client.v1.invoices.retrieve(failed["invoice"], {"expand": ["payments"]}).to_dict()
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    return client.v1.charges.list({"payment_intent": intent, "limit": 100}).data


def test_a_declined_payment_tells_the_whole_decline(client: stripe.StripeClient, failed: dict[str, Any]) -> None:
    with pytest.raises(stripe.CardError) as caught:
        client.v1.invoices.pay(failed["invoice"], {"off_session": True}, {"idempotency_key": "whole-decline"})
    error = caught.value.error
    assert caught.value.http_status == 402
    assert (error.code, error.decline_code, error.type) == ("card_declined", "insufficient_funds", "card_error")
    assert (error.advice_code, error.network_decline_code) == ("try_again_later", "51")
    assert error.payment_intent["status"] == "requires_payment_method"
    assert error.payment_intent["payment_details"]["order_reference"] == failed["invoice"]
    assert error.payment_method["id"] == failed["payment_method"]
    assert client.v1.charges.retrieve(error.charge).outcome.reason == "insufficient_funds"


def test_a_repeated_key_replays_the_old_decline_and_charges_nothing(
    sandbox: RunningSandbox, client: stripe.StripeClient, failed: dict[str, Any]
) -> None:
    options: Any = {"idempotency_key": f"replay-{failed['invoice']}"}
    with pytest.raises(stripe.CardError) as first:
        client.v1.invoices.pay(failed["invoice"], {"off_session": True}, options)
    control(sandbox, f"cards/{failed['payment_method']}/script", script=["approve"])
    with pytest.raises(stripe.CardError) as second:
        client.v1.invoices.pay(failed["invoice"], {"off_session": True}, options)
    assert second.value.headers["Idempotent-Replayed"] == "true"
    assert second.value.headers["Original-Request"] == first.value.headers["Request-Id"]
    assert second.value.json_body == first.value.json_body
    assert len(charges_of(client, failed)) == 2
    assert client.v1.invoices.pay(failed["invoice"]).status == "paid"


def test_a_key_with_other_parameters_is_refused(client: stripe.StripeClient) -> None:
    client.v1.customers.create({"name": "One"}, {"idempotency_key": "other-parameters"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "Two"}, {"idempotency_key": "other-parameters"})


def test_a_key_is_forgotten_after_a_day(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    first = client.v1.customers.create({"name": "One"}, {"idempotency_key": "one-day"})
    assert client.v1.customers.create({"name": "One"}, {"idempotency_key": "one-day"}).id == first.id
    later = sandbox.world.clock.now() + timedelta(hours=25)
    control(sandbox, "clock", to=later.isoformat())
    assert client.v1.customers.create({"name": "One"}, {"idempotency_key": "one-day"}).id != first.id


def test_the_same_key_at_the_same_time_is_a_conflict(
    sandbox: RunningSandbox, client: stripe.StripeClient, failed: dict[str, Any]
) -> None:
    control(sandbox, "faults", kind="slow", count=1, path="/pay", seconds=1.0)
    outcomes: list[Any] = []

    def pay() -> None:
        try:
            client.v1.invoices.pay(failed["invoice"], {"off_session": True}, {"idempotency_key": "concurrent"})
        except stripe.StripeError as problem:
            outcomes.append((problem.http_status, problem.error.code if problem.error else None))

    threads = [threading.Thread(target=pay) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [(402, "card_declined"), (409, "idempotency_key_in_use")]
    assert len(charges_of(client, failed)) == 2


def test_parameters_that_fail_their_check_do_not_use_up_a_key(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.invoices.list({"limit": 500})
    assert caught.value.param == "limit"
    options: Any = {"idempotency_key": "mistyped"}
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.customers.create({"nmae": "Typo"}, options)  # type: ignore[typeddict-unknown-key]
    assert unknown.value.code == "parameter_unknown"
    assert client.v1.customers.create({"name": "Right"}, options).name == "Right"


def test_a_connection_cut_after_the_charge_charges_once_under_a_repeated_key(
    sandbox: RunningSandbox, client: stripe.StripeClient, failed: dict[str, Any]
) -> None:
    control(sandbox, f"cards/{failed['payment_method']}/script", script=["approve"])
    control(sandbox, "faults", kind="cut_after", count=1, path="/pay")
    options: Any = {"idempotency_key": "cut-after"}
    with pytest.raises(stripe.APIConnectionError):
        client.v1.invoices.pay(failed["invoice"], {"off_session": True}, options)
    assert client.v1.invoices.retrieve(failed["invoice"]).status == "paid"
    assert client.v1.invoices.pay(failed["invoice"], {"off_session": True}, options).status == "paid"
    assert [charge.status for charge in charges_of(client, failed)] == ["succeeded", "failed"]


def test_a_connection_cut_before_the_charge_leaves_no_trace(
    sandbox: RunningSandbox, client: stripe.StripeClient, failed: dict[str, Any]
) -> None:
    control(sandbox, "faults", kind="cut_before", count=1, path="/pay")
    with pytest.raises(stripe.APIConnectionError):
        client.v1.invoices.pay(failed["invoice"])
    assert len(charges_of(client, failed)) == 1


@pytest.mark.parametrize(("kind", "error"), [("http_429", stripe.RateLimitError), ("http_500", stripe.APIError)])
def test_refusals_can_be_had_on_demand(
    sandbox: RunningSandbox, client: stripe.StripeClient, kind: str, error: type[stripe.StripeError]
) -> None:
    control(sandbox, "faults", kind=kind, count=1, path="/v1/account")
    with pytest.raises(error):
        client.v1.accounts.retrieve_current()
    assert client.v1.accounts.retrieve_current().id.startswith("acct_")


def test_a_server_error_after_the_charge_is_kept_under_its_key(
    sandbox: RunningSandbox, client: stripe.StripeClient, failed: dict[str, Any]
) -> None:
    control(sandbox, f"cards/{failed['payment_method']}/script", script=["approve"])
    control(sandbox, "faults", kind="http_500_after", count=1, path="/pay")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.invoices.pay(failed["invoice"], {}, {"idempotency_key": "after-500"})
    assert client.v1.invoices.retrieve(failed["invoice"]).status == "paid"


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sk_test_guessed1234", "sk_test_*******1234"),
        ("rk_test_guessed1234", "rk_test_*******1234"),
        ("sk_live_notthisone", "sk_live_******sone"),
        ("pk_test_published", "pk_test_*****shed"),
        ("nonsense", "****ense"),
    ],
)
def test_a_key_that_nobody_made_is_refused_as_stripe_words_it(sandbox: RunningSandbox, key: str, shown: str) -> None:
    with pytest.raises(stripe.AuthenticationError) as caught:
        client_of(sandbox, key).v1.customers.list()
    assert (caught.value.http_status, caught.value.error.type) == (401, "invalid_request_error")
    assert caught.value.error.message == f"Invalid API Key provided: {shown}"
    assert "code" not in caught.value.json_body["error"]


@pytest.mark.parametrize("key", OWN)
def test_the_keys_of_every_sandbox_open_it(sandbox: RunningSandbox, key: str) -> None:
    client_of(sandbox, key).v1.customers.list()


def test_a_key_can_be_made_under_a_name_of_ones_own(sandbox: RunningSandbox) -> None:
    made = control(sandbox, "keys", key="sk_test_ofmyown")
    assert made["id"] == "sk_test_ofmyown"
    client_of(sandbox, "sk_test_ofmyown").v1.customers.list()
    control(sandbox, "keys/sk_test_ofmyown", "DELETE")
    with pytest.raises(stripe.AuthenticationError, match="Expired API Key provided: sk_test_"):
        client_of(sandbox, "sk_test_ofmyown").v1.customers.list()


@pytest.mark.parametrize("version", ["2026-08-27.basil", "2026-08-26", "tomorrow", "2020-08-27; orders_beta=v3"])
def test_an_api_version_that_never_was_is_refused(sandbox: RunningSandbox, version: str) -> None:
    answer = requests.get(
        f"{sandbox.url}/v1/customers", auth=(OWN[0], ""), headers={"Stripe-Version": version}, timeout=10
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"Invalid Stripe API version: {version}"
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("version", ["2016-07-06", "2020-08-27", "2025-03-31.basil", "2026-10-28.endive"])
def test_versions_that_were_published_are_answered(sandbox: RunningSandbox, version: str) -> None:
    headers = {"Stripe-Version": version}
    answer = requests.get(f"{sandbox.url}/v1/customers", auth=(OWN[0], ""), headers=headers, timeout=10)
    assert (answer.status_code, answer.headers["Stripe-Version"]) == (200, version)


def test_no_endpoint_is_made_for_a_version_that_never_was(client: stripe.StripeClient) -> None:
    wish: Any = {"url": "http://127.0.0.1:9/hook", "enabled_events": ["*"], "api_version": "2026-08-27.basil"}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.webhook_endpoints.create(wish)
    assert caught.value.param == "api_version"


def test_what_does_not_exist_is_missing_by_name(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.invoices.retrieve("in_none")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    assert "No such invoice: 'in_none'" in str(caught.value)


def test_pages_run_forwards_and_backwards_over_everything(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Pages"})
    made = [
        client.v1.prices.create({"product": product.id, "currency": "eur", "unit_amount": number}).id
        for number in range(7)
    ]
    found = client.v1.prices.list({"product": product.id, "limit": 3})
    assert found.has_more
    assert [price.id for price in found.auto_paging_iter()] == made[::-1]
    backwards = client.v1.prices.list({"product": product.id, "limit": 2, "ending_before": made[0]})
    assert [price.id for price in backwards.auto_paging_iter()] == made[1:]


def test_wrong_states_are_refused_in_the_words_of_real_accounts(
    sandbox: RunningSandbox, client: stripe.StripeClient, failed: dict[str, Any]
) -> None:
    invoice = failed["invoice"]
    control(sandbox, f"cards/{failed['payment_method']}/script", script=["approve"])
    client.v1.invoices.pay(invoice)
    for refused, text in (
        (lambda: client.v1.invoices.pay(invoice), "Invoice is already paid"),
        (lambda: client.v1.invoices.void_invoice(invoice), "Invoices with `paid` payments cannot be voided."),
        (lambda: client.v1.invoices.finalize_invoice(invoice), "This invoice is already finalized"),
        (lambda: client.v1.invoices.delete(invoice), "You can only delete draft invoices."),
    ):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            refused()
        assert (caught.value.http_status, caught.value.code) == (400, None)
        assert text in str(caught.value)


def test_an_invoice_paid_outside_stripe_is_paid_without_a_charge(
    client: stripe.StripeClient, failed: dict[str, Any]
) -> None:
    paid = client.v1.invoices.pay(failed["invoice"], {"paid_out_of_band": True})
    assert (paid.status, paid.amount_remaining) == ("paid", 0)
    assert [charge.status for charge in charges_of(client, failed)] == ["failed"]
    types = [event.type for event in client.v1.events.list({"limit": 10}).data]
    assert "invoice.paid" in types
    assert "invoice.payment_succeeded" not in types


def test_a_manual_invoice_bills_its_items(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create(
        {"name": "Manual", "payment_method": "pm_card_visa"}  # a token makes a card of its own
    )
    method = client.v1.payment_methods.list({"customer": customer.id}).data[0].id
    client.v1.invoice_items.create({"customer": customer.id, "amount": 1250, "currency": "eur"})
    draft = client.v1.invoices.create(
        {"customer": customer.id, "currency": "eur", "pending_invoice_items_behavior": "include"}
    )
    assert (draft.status, draft.amount_due, draft.auto_advance) == ("draft", 1250, False)
    paid = client.v1.invoices.pay(draft.id, {"payment_method": method})
    assert (paid.status, paid.billing_reason) == ("paid", "manual")


def test_everything_asked_of_the_gateway_can_be_done_to_a_subscription(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    made = control(sandbox, "customers", name="Changes")
    sub = made["subscription"]
    item = client.v1.subscriptions.retrieve(sub)["items"].data[0]
    free = client.v1.prices.create(
        {"product": item.price.product, "currency": "usd", "unit_amount": 0, "recurring": {"interval": "month"}}
    )
    changed = client.v1.subscriptions.update(
        sub, {"items": [{"id": item.id, "price": free.id}], "proration_behavior": "none"}
    )
    assert changed["items"].data[0].price.id == free.id
    paused = client.v1.subscriptions.update(sub, {"pause_collection": {"behavior": "void"}})
    assert paused.pause_collection
    assert paused.pause_collection.behavior == "void"
    assert client.v1.subscriptions.update(sub, {"pause_collection": ""}).pause_collection is None
    ending = client.v1.subscriptions.update(sub, {"cancel_at_period_end": True})
    assert ending.cancel_at == ending["items"].data[0].current_period_end
    assert client.v1.subscriptions.update(sub, {"cancel_at_period_end": False}).cancel_at is None
    ended = client.v1.subscriptions.cancel(sub, {"cancellation_details": {"comment": "dunning"}, "prorate": False})
    assert (ended.status, ended.cancellation_details and ended.cancellation_details.comment) == ("canceled", "dunning")
    assert client.v1.subscriptions.list({"customer": made["customer"]}).data == []
    assert len(client.v1.subscriptions.list({"customer": made["customer"], "status": "all"}).data) == 1


def test_a_customer_is_made_with_a_test_card_as_the_default_in_one_request(client: stripe.StripeClient) -> None:
    card = "pm_card_visa"
    made = client.v1.customers.create({"payment_method": card, "invoice_settings": {"default_payment_method": card}})
    (method,) = client.v1.customers.payment_methods.list(made.id).data
    assert made.invoice_settings is not None
    assert made.invoice_settings.default_payment_method == method.id


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_authenticationRequired", "subscription_payment_intent_requires_action", None),
    ],
)
def test_a_subscription_that_is_not_to_be_without_its_first_payment_says_why_and_is_not(
    client: stripe.StripeClient, card: str, code: str, decline_code: str | None
) -> None:
    customer = client.v1.customers.create({"name": "All or nothing"}).id
    method = client.v1.payment_methods.attach(card, {"customer": customer}).id
    price = client.v1.prices.create(
        {"unit_amount": 900, "currency": "usd", "recurring": {"interval": "month"}, "product_data": {"name": "Plan"}}
    )
    with pytest.raises(stripe.CardError) as caught:
        client.v1.subscriptions.create(
            {
                "customer": customer,
                "items": [{"price": price.id}],
                "default_payment_method": method,
                "payment_behavior": "error_if_incomplete",
            }
        )
    error = caught.value.error
    assert error is not None
    assert (error.code, error.to_dict().get("decline_code")) == (code, decline_code)
    assert client.v1.subscriptions.list({"customer": customer, "status": "all"}).data == []


@pytest.mark.parametrize(
    ("path", "form", "param"),
    [
        ("invoices?status=foo", None, "status"),
        ("subscriptions?collection_method=zzz", None, "collection_method"),
        ("customers?starting_after=cus_1&ending_before=cus_2", None, "ending_before"),
        ("subscriptions", {"customer": "cus_none", "items[0][price]": "price_none"}, "customer"),
        ("customers", {"email": "nobody"}, "email"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_parameter_that_is_wrong(
    sandbox: RunningSandbox, path: str, form: dict[str, str] | None, param: str
) -> None:
    send = requests.post if form else requests.get
    answer = send(f"{sandbox.url}/v1/{path}", data=form, auth=(OWN[0], ""), timeout=10)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_bodies_of_json_are_not_for_v1(sandbox: RunningSandbox) -> None:
    answer = requests.post(f"{sandbox.url}/v1/customers", json={"name": "Ada"}, auth=(OWN[0], ""), timeout=10)
    assert answer.status_code == 400
    assert "form" in answer.json()["error"]["message"]


def test_searches_say_that_they_are_not_there(sandbox: RunningSandbox) -> None:
    for kind in ("customers", "invoices", "subscriptions"):
        answer = requests.get(f"{sandbox.url}/v1/{kind}/search?query=x", auth=(OWN[0], ""), timeout=10)
        assert answer.status_code == 400
        assert "no searches" in answer.json()["error"]["message"]


def test_the_upcoming_invoice_is_shown_to_versions_that_had_it(sandbox: RunningSandbox) -> None:
    made = requests.post(f"{sandbox.url}/_sandbox/customers", json={"amount": 4900}, timeout=10).json()
    url = f"{sandbox.url}/v1/invoices/upcoming?subscription={made['subscription']}"
    old = requests.get(url, auth=(OWN[0], ""), headers={"Stripe-Version": "2020-08-27"}, timeout=10)
    assert (old.status_code, old.json()["amount_due"], old.json()["paid"]) == (200, 4900, False)
    new = requests.get(url, auth=(OWN[0], ""), timeout=10)
    assert (new.status_code, new.json()["error"]["code"]) == (404, "resource_missing")
