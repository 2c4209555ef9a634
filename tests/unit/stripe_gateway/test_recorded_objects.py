"""Every object and payload recorded from Stripe, 2016 to 2026, goes through the readers."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.stripe_gateway import readers

RECORDED = Path(__file__).parents[4] / "shared" / "stripe"
NOT_PAYLOADS = {"spec3.json", "manifest.json", "smart_retries_timeline.json"}
FILES = sorted(path for path in RECORDED.rglob("*.json") if path.name not in NOT_PAYLOADS)
READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "account": lambda data: readers.read_account(data, livemode=False),
    "card": readers.read_payment_method,
    "charge": readers.read_charge,
    "checkout.session": readers.read_setup_session,
    "customer": readers.read_customer,
    "event": readers.read_event,
    "invoice": readers.read_invoice,
    "line_item": readers.read_line,
    "payment_intent": readers.read_payment_intent,
    "payment_method": readers.read_payment_method,
    "source": readers.read_payment_method,
    "subscription": readers.read_subscription,
    "webhook_endpoint": readers.read_webhook_endpoint,
}

pytestmark = pytest.mark.skipif(not FILES, reason="the recorded objects are not beside this checkout")


def objects_in(data: Any) -> Iterator[dict[str, Any]]:
    if isinstance(data, dict):
        if isinstance(data.get("object"), str):
            yield data
        data = list(data.values())
    for part in data if isinstance(data, list) else []:
        yield from objects_in(part)


@cache
def all_recorded() -> list[dict[str, Any]]:
    return [one for path in FILES for one in objects_in(json.loads(path.read_text()))]


def recorded(kind: str) -> list[dict[str, Any]]:
    return [one for one in all_recorded() if one["object"] == kind]


@pytest.mark.parametrize("kind", sorted(READERS))
def test_every_recorded_object_can_be_read(kind: str) -> None:
    snapshots = [READERS[kind](data) for data in recorded(kind)]
    assert snapshots


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_recorded_object_that_lost_any_one_field_can_still_be_read(kind: str) -> None:
    for data in recorded(kind):
        for field in data:
            READERS[kind]({key: value for key, value in data.items() if key != field})
            READERS[kind]({**data, field: None})
            READERS[kind]({**data, field: ["unexpected"]})
            READERS[kind]({**data, field: {"unexpected": [1]}})


def test_every_recorded_invoice_says_what_is_owed_and_to_which_state_it_came() -> None:
    for data in recorded("invoice"):
        invoice = readers.read_invoice(data)
        assert invoice.status in {"draft", "open", "paid", "uncollectible", "void"}
        assert invoice.currency == data["currency"]
        if invoice.status == "paid" and "amount_remaining" not in data:
            assert invoice.amount_remaining == 0


def test_every_recorded_subscription_has_a_period_end_and_a_price() -> None:
    for data in recorded("subscription"):
        subscription = readers.read_subscription(data)
        assert subscription.current_period_end is not None
        assert all(item.price_id for item in subscription.items)
        assert readers.read_subscription(json.loads(json.dumps(subscription.raw))) == subscription


def test_a_recorded_renewal_invoice_names_its_subscription_in_every_version() -> None:
    renewals = [data for data in recorded("invoice") if data.get("billing_reason") == "subscription_cycle"]
    assert renewals
    assert all(readers.read_invoice(data).subscription_id for data in renewals)


def test_the_recorded_failed_charges_say_why_they_failed() -> None:
    failed = [data for data in recorded("charge") if data.get("status") == "failed" and data.get("outcome")]
    assert failed
    for data in failed:
        signals = readers.read_charge(data).signals
        assert signals.code
        assert signals.outcome_type
        assert signals.network_status
