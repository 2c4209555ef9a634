"""What changes to subscriptions and their schedules bill, through Stripe's own client."""

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


def turn(sandbox: RunningSandbox, by: timedelta) -> None:
    control(sandbox, "clock", to=(sandbox.world.clock.now() + by).isoformat())


def price(client: stripe.StripeClient, amount: int, interval: Any = "month") -> str:
    product = client.v1.products.create({"name": f"Plan {amount}"})
    return client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": amount, "recurring": {"interval": interval}}
    ).id


def invoices_of(client: stripe.StripeClient, subscription: str) -> list[Any]:
    return client.v1.invoices.list({"subscription": subscription, "limit": 50}).data


def swap(client: stripe.StripeClient, subscription: str, wanted: str, **more: Any) -> Any:
    item = client.v1.subscriptions.retrieve(subscription)["items"].data[0].id
    return client.v1.subscriptions.update(subscription, {"items": [{"id": item, "price": wanted}], **more})


def test_a_downgrade_without_proration_bills_the_lower_price_from_the_next_period(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    made = control(sandbox, "customers", amount=4900)
    swap(client, made["subscription"], price(client, 1900), proration_behavior="none")
    assert len(invoices_of(client, made["subscription"])) == 1
    turn(sandbox, timedelta(days=32))
    assert [invoice.amount_paid for invoice in invoices_of(client, made["subscription"])] == [1900, 4900]


def test_from_free_to_paid_begins_a_new_period_and_bills_at_once(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    made = control(sandbox, "customers", amount=0, plan="Free")
    turn(sandbox, timedelta(days=5))
    changed = swap(client, made["subscription"], price(client, 4900), proration_behavior="none")
    assert changed["items"].data[0].current_period_start == changed.billing_cycle_anchor
    newest = invoices_of(client, made["subscription"])[0]
    assert (newest.status, newest.amount_paid, newest.billing_reason) == ("paid", 4900, "subscription_update")


def test_from_free_to_paid_can_wait_for_the_period(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    made = control(sandbox, "customers", amount=0, plan="Free")
    swap(
        client,
        made["subscription"],
        price(client, 4900),
        proration_behavior="none",
        billing_cycle_anchor="unchanged",
    )
    assert len(invoices_of(client, made["subscription"])) == 1


def test_an_upgrade_with_proration_bills_the_difference_for_the_rest(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    made = control(sandbox, "customers", amount=3000)
    period = client.v1.subscriptions.retrieve(made["subscription"])["items"].data[0]
    half = (period.current_period_end - period.current_period_start) / 2
    turn(sandbox, timedelta(seconds=half))
    swap(client, made["subscription"], price(client, 6000))
    pending = client.v1.invoice_items.list({"customer": made["customer"], "pending": True}).data
    assert sorted(round(item.amount, -1) for item in pending) == [-1500, 3000]
    turn(sandbox, timedelta(seconds=half + 7200))
    assert round(invoices_of(client, made["subscription"])[0].amount_paid, -1) == 7500


def test_a_schedule_changes_the_price_at_its_boundary_and_then_lets_go(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    made = control(sandbox, "customers", amount=4900)
    schedule = client.v1.subscription_schedules.create({"from_subscription": made["subscription"]})
    assert client.v1.subscriptions.retrieve(made["subscription"]).schedule == schedule.id
    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        client.v1.subscriptions.update(made["subscription"], {"cancel_at_period_end": True})
    first = schedule.phases[0]
    lower = price(client, 1900)
    client.v1.subscription_schedules.update(
        schedule.id,
        {
            "phases": [
                {
                    "items": [{"price": made["price"]}],
                    "start_date": first.start_date,
                    "end_date": first.end_date,
                },
                {"items": [{"price": lower}], "duration": {"interval": "month", "interval_count": 1}},
            ]
        },
    )
    turn(sandbox, timedelta(days=32))
    assert client.v1.subscriptions.retrieve(made["subscription"])["items"].data[0].price.id == lower
    assert invoices_of(client, made["subscription"])[0].amount_paid == 1900
    turn(sandbox, timedelta(days=32))
    assert client.v1.subscription_schedules.retrieve(schedule.id).status == "released"
    assert client.v1.subscriptions.retrieve(made["subscription"]).schedule is None


def test_a_trial_ends_in_a_first_charge(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Trial", "source": "tok_visa"})
    subscription = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price(client, 2900)}], "trial_period_days": 14}
    )
    assert (subscription.status, invoices_of(client, subscription.id)[0].amount_due) == ("trialing", 0)
    turn(sandbox, timedelta(days=15))
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert invoices_of(client, subscription.id)[0].amount_paid == 2900


def test_a_declined_first_payment_leaves_the_subscription_incomplete_until_it_is_paid(
    client: stripe.StripeClient,
) -> None:
    customer = client.v1.customers.create({"name": "First", "source": "tok_chargeDeclined"})
    subscription = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price(client, 900)}]})
    assert subscription.status == "incomplete"
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.invoices.pay(str(subscription.latest_invoice), {"payment_method": method.id})
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_a_new_source_is_tried_at_once_and_a_new_default_is_not(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    made = control(sandbox, "customers")
    failed = control(sandbox, "fail", customer=made["customer"], decline_code="lost_card")
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": made["customer"]})
    client.v1.customers.update(made["customer"], {"invoice_settings": {"default_payment_method": method.id}})
    assert client.v1.invoices.retrieve(failed["invoice"]).status == "open"
    client.v1.customers.update(made["customer"], {"source": "tok_visa"})
    assert client.v1.invoices.retrieve(failed["invoice"]).status == "paid"


def test_an_invoice_sent_by_mail_is_never_charged_by_itself(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    customer = client.v1.customers.create({"name": "By mail", "email": "mail@example.com"})
    subscription = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price(client, 5000)}],
            "collection_method": "send_invoice",
            "days_until_due": 14,
        }
    )
    invoice = invoices_of(client, subscription.id)[0]
    assert (invoice.status, invoice.next_payment_attempt) == ("open", None)
    assert invoice.due_date == invoice.created + 14 * 86_400
    turn(sandbox, timedelta(days=20))
    assert client.v1.invoices.retrieve(invoice.id).attempted is False


def test_refunds_and_disputes_are_told(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    made = control(sandbox, "customers", amount=4900)
    charge = client.v1.charges.list({"customer": made["customer"]}).data[0]
    client.v1.refunds.create({"charge": charge.id, "amount": 900})
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 900
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"charge": charge.id, "amount": 4001})
    dispute = control(sandbox, f"invoices/{made['invoice']}/dispute")
    assert client.v1.charges.retrieve(charge.id).disputed
    control(sandbox, f"disputes/{dispute['id']}/close", status="won")
    types = [event.type for event in client.v1.events.list({"type": "charge.dispute.*"}).data]
    assert types[::-1] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]


def test_the_books_say_what_was_charged(sandbox: RunningSandbox) -> None:
    made = control(sandbox, "customers", amount=4900, currency="eur")
    control(sandbox, "fail", customer=made["customer"], script=["insufficient_funds", "approve"])
    turn(sandbox, timedelta(days=3))
    books = requests.get(f"{sandbox.url}/_sandbox/books", timeout=10).json()
    assert books["totals"] == {"eur": {"charged": 9800, "paid": 9800, "open": 0}}
    assert books["double_charged"] == []
    assert [(entry["successful_charges"], entry["failed_charges"]) for entry in books["invoices"]] == [(1, 0), (1, 1)]
