"""What changes of a subscription, its schedule, its trial or its payer's cards lead to, through Stripe's own client."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from app.clock import SandboxClock
from app.sandbox.server import RunningSandbox, run_in_thread


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    running = run_in_thread(tmp_path, SandboxClock(tmp_path / "clock.json"))
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: RunningSandbox) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)


def control(sandbox: RunningSandbox, path: str, /, **body: Any) -> dict[str, Any]:
    answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def turn(sandbox: RunningSandbox, **by: float) -> None:
    control(sandbox, "clock", to=(sandbox.world.clock.now() + timedelta(**by)).isoformat())


def now(sandbox: RunningSandbox) -> int:
    return int(sandbox.world.clock.now().timestamp())


def price(client: stripe.StripeClient, amount: int) -> str:
    data: Any = {"currency": "usd", "unit_amount": amount, "recurring": {"interval": "month"}}
    return client.v1.prices.create({**data, "product_data": {"name": f"Plan {amount}"}}).id


def invoices_of(client: stripe.StripeClient, subscription: str) -> list[Any]:
    return client.v1.invoices.list({"subscription": subscription, "limit": 50}).data


def test_a_schedule_may_begin_later_and_then_charges_its_first_phase(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    customer = client.v1.customers.create({"name": "Later", "source": "tok_visa"})
    schedule = client.v1.subscription_schedules.create(
        {
            "customer": customer.id,
            "start_date": now(sandbox) + 5 * 86_400,
            "end_behavior": "release",
            "phases": [
                {"items": [{"price": price(client, 1900)}], "duration": {"interval": "month"}},
                {"items": [{"price": price(client, 2900)}], "duration": {"interval": "month"}},
            ],
        }
    )
    assert (schedule.status, schedule.subscription) == ("not_started", None)
    turn(sandbox, days=4)
    assert client.v1.subscriptions.list({"customer": customer.id}).data == []
    turn(sandbox, days=2)
    started = client.v1.subscription_schedules.retrieve(schedule.id)
    assert (started.status, started.current_phase.start_date) == ("active", schedule.phases[0].start_date)
    subscription = str(started.subscription)
    assert [invoice.amount_paid for invoice in invoices_of(client, subscription)] == [1900]
    turn(sandbox, days=32)
    assert [invoice.amount_paid for invoice in invoices_of(client, subscription)] == [2900, 1900]
    turn(sandbox, days=32)
    released = client.v1.subscription_schedules.retrieve(schedule.id)
    assert (released.status, released.released_subscription) == ("released", subscription)


@pytest.mark.parametrize(("behavior", "items"), [("none", 0), ("create_prorations", 2), ("always_invoice", 0)])
def test_a_change_in_mid_period_bills_the_difference_as_it_is_told(
    sandbox: RunningSandbox, client: stripe.StripeClient, behavior: Any, items: int
) -> None:
    made = control(sandbox, "customers", amount=3000)
    turn(sandbox, days=10)
    subscription = client.v1.subscriptions.retrieve(made["subscription"])
    item = subscription["items"].data[0]
    client.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": item.id, "price": price(client, 9000)}], "proration_behavior": behavior},
    )
    assert len(client.v1.invoice_items.list({"customer": made["customer"], "pending": True}).data) == items
    newest = invoices_of(client, subscription.id)[0]
    if behavior == "always_invoice":
        assert (newest.billing_reason, newest.status) == ("subscription_update", "paid")
        assert 3000 < newest.amount_paid < 5000, "about two thirds of the difference"
    else:
        assert newest.billing_reason == "subscription_create"
    period = client.v1.subscriptions.retrieve(subscription.id)["items"].data[0]
    assert period.current_period_end == item.current_period_end


def test_a_schedules_phase_prorates_unless_it_says_none(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    for behavior, pending in (("none", 0), ("create_prorations", 2)):
        made = control(sandbox, "customers", amount=3000)
        schedule = client.v1.subscription_schedules.create({"from_subscription": made["subscription"]})
        phase = schedule.phases[0]
        turn(sandbox, days=3)
        middle = now(sandbox) + 86_400
        wanted: Any = [
            {"items": [{"price": made["price"]}], "start_date": phase.start_date, "end_date": middle},
            {"items": [{"price": price(client, 9000)}], "proration_behavior": behavior},
        ]
        client.v1.subscription_schedules.update(schedule.id, {"phases": wanted})
        turn(sandbox, days=2)
        assert client.v1.subscriptions.retrieve(made["subscription"])["items"].data[0].price.unit_amount == 9000
        waiting = client.v1.invoice_items.list({"customer": made["customer"], "pending": True}).data
        assert len(waiting) == pending, behavior


def test_a_trial_can_end_at_once_or_later(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Trial", "source": "tok_visa"})
    wanted: Any = {"customer": customer.id, "items": [{"price": price(client, 2900)}], "trial_period_days": 14}
    longer, ended = (client.v1.subscriptions.create(wanted).id for _ in range(2))
    later = now(sandbox) + 30 * 86_400
    assert client.v1.subscriptions.update(longer, {"trial_end": later}).trial_end == later
    client.v1.subscriptions.update(ended, {"trial_end": "now"})
    assert client.v1.subscriptions.retrieve(ended).status == "active"
    assert invoices_of(client, ended)[0].amount_paid == 2900
    turn(sandbox, days=20)
    assert client.v1.subscriptions.retrieve(longer).status == "trialing"
    turn(sandbox, days=7.5)
    announced = client.v1.events.list({"type": "customer.subscription.trial_will_end"}).data
    assert announced[0].to_dict()["data"]["object"]["id"] == longer, "three days before"
    turn(sandbox, days=4)
    assert invoices_of(client, longer)[0].amount_paid == 2900


def test_a_first_payment_has_twenty_three_hours(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    # "incomplete (first payment; 23 h) | → incomplete_expired, invoice voided"
    customer = client.v1.customers.create({"name": "First", "source": "tok_chargeDeclined"})
    subscription = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price(client, 900)}]})
    invoice = client.v1.invoices.retrieve(str(subscription.latest_invoice))
    assert (subscription.status, invoice.billing_reason) == ("incomplete", "subscription_create")
    assert (invoice.attempt_count, invoice.next_payment_attempt) == (1, None), "Stripe does not retry it"
    turn(sandbox, hours=22.9)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "incomplete"
    turn(sandbox, hours=0.2)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "incomplete_expired"
    assert client.v1.invoices.retrieve(invoice.id).status == "void"


def test_a_new_source_is_charged_at_once_and_a_new_default_source_is_not(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    # "`Customers.update(source=…)` makes Stripe retry … changing `invoice_settings.default_payment_method` or
    # `default_source` does not"
    customer = client.v1.customers.create({"name": "Source", "source": "tok_visa"})
    first = str(customer.default_source)
    assert (first.startswith("card_"), customer.invoice_settings.default_payment_method) == (True, None)
    assert client.v1.payment_methods.retrieve(first).customer == customer.id
    wanted: Any = {"customer": customer.id, "items": [{"price": price(client, 1500)}]}
    subscription = client.v1.subscriptions.create(wanted)
    failed = control(sandbox, "fail", customer=customer.id, script=["lost_card"])
    good = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.customers.update(customer.id, {"default_source": good.id})
    assert client.v1.invoices.retrieve(failed["invoice"]).status == "open"
    assert client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    client.v1.customers.update(customer.id, {"source": "tok_mastercard"})
    assert client.v1.invoices.retrieve(failed["invoice"]).status == "paid"
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_a_new_source_does_not_go_before_a_default_payment_method(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    # "Payment-method precedence: … → customer.invoice_settings.default_payment_method → customer.default_source"
    made = control(sandbox, "customers")
    failed = control(sandbox, "fail", customer=made["customer"], script=["lost_card"])
    client.v1.customers.update(made["customer"], {"source": "tok_visa"})
    assert client.v1.invoices.retrieve(failed["invoice"]).status == "open"
    assert len(client.v1.charges.list({"customer": made["customer"]}).data) == 3, "paid, failed, and failed again"


def test_unpaid_leaves_a_draft_and_paying_the_latest_reactivates(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    # "new invoices stay draft, nothing attempted"; "pay the most recent invoice → `active` automatically"
    control(sandbox, "settings", end_behavior="unpaid", retries="custom:1")
    made = control(sandbox, "customers")
    control(sandbox, "fail", customer=made["customer"], script=["insufficient_funds"])
    turn(sandbox, days=35)
    subscription = client.v1.subscriptions.retrieve(made["subscription"])
    latest = client.v1.invoices.retrieve(str(subscription.latest_invoice))
    assert (subscription.status, latest.status, latest.attempted) == ("unpaid", "draft", False)
    assert (latest.auto_advance, latest.next_payment_attempt) == (False, None)
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": made["customer"]})
    client.v1.customers.update(made["customer"], {"invoice_settings": {"default_payment_method": method.id}})
    client.v1.invoices.update(latest.id, {"auto_advance": True})
    turn(sandbox, hours=1.1)
    assert client.v1.invoices.retrieve(latest.id).status == "paid"
    assert client.v1.subscriptions.retrieve(made["subscription"]).status == "active"


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_a_pause_lets_the_open_invoice_be_retried_and_holds_new_ones_until_it_ends(
    sandbox: RunningSandbox, client: stripe.StripeClient, behavior: Any, status: str
) -> None:
    # "status unchanged, invoices created and then kept draft / uncollectible / void"; "pause_collection … leaves
    # existing open invoices being retried"
    control(sandbox, "settings", end_behavior="past_due")
    made = control(sandbox, "customers")
    failed = control(sandbox, "fail", customer=made["customer"], script=["insufficient_funds"])
    until = now(sandbox) + 40 * 86_400
    client.v1.subscriptions.update(
        made["subscription"], {"pause_collection": {"behavior": behavior, "resumes_at": until}}
    )
    turn(sandbox, days=35)
    assert client.v1.invoices.retrieve(failed["invoice"]).attempt_count == 9
    held = invoices_of(client, made["subscription"])[0]
    assert (held.status, client.v1.subscriptions.retrieve(made["subscription"]).status) == (status, "past_due")
    turn(sandbox, days=30)
    assert client.v1.subscriptions.retrieve(made["subscription"]).pause_collection is None
    assert invoices_of(client, made["subscription"])[0].status == "open"
    assert client.v1.invoices.retrieve(held.id).status == status


def test_switching_automatic_collection_off_and_on_stops_and_resumes_the_schedule(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    # "null (no more retries, send_invoice, or auto_advance false)"
    made = control(sandbox, "customers")
    failed = control(sandbox, "fail", customer=made["customer"], script=["insufficient_funds"])
    stopped = client.v1.invoices.update(failed["invoice"], {"auto_advance": False})
    assert (stopped.auto_advance, stopped.next_payment_attempt) == (False, None)
    turn(sandbox, days=5)
    assert client.v1.invoices.retrieve(failed["invoice"]).attempt_count == 1
    resumed = client.v1.invoices.update(failed["invoice"], {"auto_advance": True})
    assert resumed.next_payment_attempt > now(sandbox)
    turn(sandbox, days=3)
    assert client.v1.invoices.retrieve(failed["invoice"]).attempt_count == 2
