"""What a person asks of the sandbox is done, or refused in words that say what to do; a refusal changes nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import stripe

from app.clock import SandboxClock
from app.sandbox.server import RunningSandbox, run_in_thread


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    home = tmp_path_factory.mktemp("control")
    running = run_in_thread(home, SandboxClock(home / "clock.json"))
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: RunningSandbox) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)


def control(sandbox: RunningSandbox, path: str, /, **body: Any) -> dict[str, Any]:
    answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refusal(sandbox: RunningSandbox, path: str, /, **body: Any) -> str:
    """The words of a refusal, after which the sandbox knows no more than before."""
    objects = "select count(*), max(seq) from objects"
    before = sandbox.world.store.fetch(objects)
    answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=30)
    assert answer.status_code in (400, 404), answer.text
    assert sandbox.world.store.fetch(objects) == before
    message: str = answer.json()["error"]["message"]
    return message


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"card": "pm_card_viza"}, "'pm_card_viza' is not a test card; did you mean pm_card_visa"),
        ({"card": "gold"}, "give one such as pm_card_visa"),
        ({"currency": "euro"}, "'euro' is not a currency that Stripe charges in; did you mean eur"),
        ({"currency": "xyz"}, "usd, eur, gbp or jpy"),
        ({"amount": -1}, "amount: input should be greater than or equal to 0, not -1"),
        ({"amount": 49}, "give 50 or more, or 0 for a free plan"),
        ({"amount": 499, "currency": "bhd"}, "give 500 or more"),
        ({"amount": 1, "currency": "jpy"}, "amount: 1 means ¥1, as amounts are in minor units"),
        ({"amount": 10**9}, "amount: input should be less than or equal to 99999999"),
        ({"amount": "49.90"}, "amount: input should be a valid integer"),
        ({"interval": "fortnight"}, "interval: input should be 'day', 'week', 'month' or 'year'"),
        ({"country": "UK"}, "'UK' is not an ISO 3166 country code; give one such as US, DE or JP"),
        ({"timezone": "Europe/Berln"}, "'Europe/Berln' is not an IANA time zone; did you mean Europe/Berlin"),
        ({"locale": "klingon"}, "'klingon' is no language tag; give one such as en, de-DE or ja"),
        ({"email": "robin"}, "email: "),
        ({"plan": " "}, "plan: "),
        ({"script": ["insuficient_funds"]}, "did you mean insufficient_funds"),
        ({"amuont": 5}, "'amuont' is not known here; known are name, email"),
    ],
)
def test_a_customer_that_cannot_be_is_refused(sandbox: RunningSandbox, wanted: dict[str, Any], said: str) -> None:
    assert said in refusal(sandbox, "customers", **wanted)


def test_everything_wrong_is_said_at_once(sandbox: RunningSandbox) -> None:
    said = refusal(sandbox, "customers", currency="xyz", country="ZZ")
    assert "currency: " in said
    assert "country: " in said


def test_a_customer_is_as_asked_for(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    wanted = {"currency": "EUR", "country": "de", "timezone": "Europe/Berlin", "locale": "de-DE", "interval": "year"}
    made = control(sandbox, "customers", name="Robin", email="robin@lumen.example", amount=9900, **wanted)
    customer = client.v1.customers.retrieve(made["customer"]).to_dict()
    assert (customer["name"], customer["email"]) == ("Robin", "robin@lumen.example")
    assert (customer["address"]["country"], customer["preferred_locales"]) == ("DE", ["de-DE"])
    assert customer["metadata"] == {"country": "DE", "timezone": "Europe/Berlin"}
    price = client.v1.prices.retrieve(made["price"])
    assert (price.currency, price.unit_amount, price.recurring and price.recurring.interval) == ("eur", 9900, "year")


def test_an_unknown_decline_code_is_refused_and_a_misspelt_one_put_right(sandbox: RunningSandbox) -> None:
    customer = control(sandbox, "customers")["customer"]
    assert "did you mean lost_card" in refusal(sandbox, "fail", customer=customer, script=["lostcard"])
    assert "give one such as" in refusal(sandbox, "fail", customer=customer, decline_code="bad_weather")
    assert "'weather' is no signal" in refusal(sandbox, "fail", customer=customer, script=[{"weather": "bad"}])
    by_hand = {"decline_code": "from_next_year", "network_advice_code": "03"}
    assert control(sandbox, "fail", customer=customer, script=[by_hand])["status"] == "open"


def test_a_free_plan_cannot_fail(sandbox: RunningSandbox) -> None:
    made = control(sandbox, "customers", amount=0, plan="Free")
    said = refusal(sandbox, "fail", customer=made["customer"])
    assert f"The plan of {made['subscription']} is free" in said
    assert "`recoup sandbox customer`" in said


def test_a_downgraded_customer_cannot_fail(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    made = control(sandbox, "customers")
    item = client.v1.subscriptions.retrieve(made["subscription"])["items"].data[0]
    free = client.v1.prices.create(
        {"product": item.price.product, "currency": "usd", "unit_amount": 0, "recurring": {"interval": "month"}}
    )
    client.v1.subscriptions.update(
        made["subscription"], {"items": [{"id": item.id, "price": free.id}], "proration_behavior": "none"}
    )
    assert "is free" in refusal(sandbox, "fail", customer=made["customer"])


def test_of_two_plans_the_one_that_costs_something_fails(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    made = control(sandbox, "customers")
    product = client.v1.prices.retrieve(made["price"]).product
    free = client.v1.prices.create(
        {"product": product, "currency": "usd", "unit_amount": 0, "recurring": {"interval": "month"}}
    )
    client.v1.subscriptions.create({"customer": made["customer"], "items": [{"price": free.id}]})
    assert control(sandbox, "fail", customer=made["customer"])["subscription"] == made["subscription"]


def test_a_customer_without_a_subscription_cannot_fail(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Nobody's subscriber"}).id
    assert "has no subscription" in refusal(sandbox, "fail", customer=customer)


def test_unknown_and_deleted_customers_cannot_fail(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    assert "'cus_none' is not known" in refusal(sandbox, "fail", customer="cus_none")
    assert "customer is missing" in refusal(sandbox, "fail")
    customer = control(sandbox, "customers")["customer"]
    client.v1.customers.delete(customer)
    assert "was deleted" in refusal(sandbox, "fail", customer=customer)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cancel_at_period_end": True}, "ends with its period"),
        ({"pause_collection": {"behavior": "void"}}, "is paused"),
        ({"collection_method": "send_invoice", "days_until_due": 30}, "no card is charged"),
    ],
)
def test_a_subscription_without_a_charge_to_come_cannot_fail(
    sandbox: RunningSandbox, client: stripe.StripeClient, change: Any, said: str
) -> None:
    made = control(sandbox, "customers")
    client.v1.subscriptions.update(made["subscription"], change)
    assert said in refusal(sandbox, "fail", customer=made["customer"])


def test_an_ended_subscription_cannot_fail(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    made = control(sandbox, "customers")
    client.v1.subscriptions.cancel(made["subscription"])
    said = refusal(sandbox, "fail", customer=made["customer"])
    assert f"{made['subscription']} is canceled and is not renewed any more" in said


def test_a_trial_cannot_fail(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    made = control(sandbox, "customers")
    client.v1.subscriptions.cancel(made["subscription"])
    client.v1.subscriptions.create(
        {"customer": made["customer"], "items": [{"price": made["price"]}], "trial_period_days": 14}
    )
    assert "is in its trial until" in refusal(sandbox, "fail", customer=made["customer"])


def test_a_renewal_paid_by_credit_or_approved_cannot_fail(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    made = control(sandbox, "customers", amount=4900)
    assert "first answer was approve" in refusal(sandbox, "fail", customer=made["customer"], script=["approve"])
    client.v1.customers.update(made["customer"], {"balance": -10_000})
    assert "credit of $100.00 pays" in refusal(sandbox, "fail", customer=made["customer"])


def test_a_debt_too_small_to_charge_cannot_fail(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    made = control(sandbox, "customers", amount=4900)
    client.v1.subscriptions.cancel(made["subscription"])
    product = client.v1.prices.retrieve(made["price"]).product
    cents = client.v1.prices.create(
        {"product": product, "currency": "usd", "unit_amount": 10, "recurring": {"interval": "month"}}
    )
    client.v1.subscriptions.create({"customer": made["customer"], "items": [{"price": cents.id}]})
    assert "at least $0.50" in refusal(sandbox, "fail", customer=made["customer"])


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("clock", {"to": "2020-01-01T00:00:00+00:00"}, "can only be turned forward"),
        ("clock", {"to": "2099-01-01T00:00:00"}, "timezone"),
        ("clock", {}, "to is missing"),
        ("outage", {}, "minutes is missing"),
        ("outage", {"minutes": 0}, "greater than 0"),
        ("outage", {"minutes": "a while"}, "valid number"),
        ("settings", {"retries": "often"}, "'smart', 'off' or 'custom'"),
        ("settings", {"retries": "custom"}, "such as custom:3,5,7"),
        ("settings", {"retries": "custom:soon"}, "valid number"),
        ("settings", {"business_name": ""}, "business_name"),
        ("settings", {"colour": "green"}, "'colour' is not known here"),
        ("faults", {"kind": "gremlins"}, "kind must be one of"),
        ("faults", {"kind": "slow", "count": 0}, "count"),
        ("seed", {"customers": -1}, "customers"),
        ("seed", {"people": 3}, "'people' is not known here"),
        ("cards/pm_none/script", {"script": ["approve"]}, "No such PaymentMethod"),
        ("customers/cus_none/new-card", {}, "No such customer"),
        ("customers/cus_none/new-card", {"by": "magic"}, "'operator' or 'updater'"),
    ],
)
def test_what_means_nothing_is_refused(sandbox: RunningSandbox, path: str, body: dict[str, Any], said: str) -> None:
    assert said in refusal(sandbox, path, **body)


def test_a_body_that_is_no_object_is_refused(sandbox: RunningSandbox) -> None:
    for raw in ("[1]", "customer=cus_1"):
        answer = requests.post(f"{sandbox.url}/_sandbox/fail", data=raw, timeout=10)
        assert (answer.status_code, "JSON object" in answer.json()["error"]["message"]) == (400, True)


def test_custom_retries_can_be_set_in_one_word(sandbox: RunningSandbox) -> None:
    assert control(sandbox, "settings", retries="custom:3, 5,7")["retry_days"] == [3, 5, 7]
    assert control(sandbox, "settings", retries="smart")["retries"] == "smart"


def test_a_dispute_has_a_reason_of_stripes_and_ends_once(sandbox: RunningSandbox) -> None:
    made = control(sandbox, "customers")
    assert "reason" in refusal(sandbox, f"invoices/{made['invoice']}/dispute", reason="mood")
    dispute = control(sandbox, f"invoices/{made['invoice']}/dispute")
    assert "status" in refusal(sandbox, f"disputes/{dispute['id']}/close", status="drawn")
    assert control(sandbox, f"disputes/{dispute['id']}/close", status="won")["status"] == "won"
    assert "closed already" in refusal(sandbox, f"disputes/{dispute['id']}/close", status="lost")


def test_a_price_has_a_real_currency_and_no_negative_amount(client: stripe.StripeClient) -> None:
    product = client.v1.products.create({"name": "Thing"}).id
    for wrong in ({"currency": "xyz", "unit_amount": 100}, {"currency": "usd", "unit_amount": -100}):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            client.v1.prices.create({"product": product, **wrong})  # type: ignore[arg-type]
        assert caught.value.param in wrong
