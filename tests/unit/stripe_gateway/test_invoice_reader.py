"""Invoices of every era come out in one shape."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.stripe_gateway.readers import read_invoice

DAHLIA: dict[str, Any] = {
    "id": "in_1",
    "object": "invoice",
    "customer": "cus_1",
    "status": "open",
    "amount_due": 2000,
    "amount_paid": 0,
    "amount_remaining": 2000,
    "currency": "usd",
    "billing_reason": "subscription_cycle",
    "collection_method": "charge_automatically",
    "attempted": True,
    "attempt_count": 1,
    "auto_advance": True,
    "created": 1790816400,
    "next_payment_attempt": 1790967600,
    "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1", "metadata": {}}},
    "payments": {
        "object": "list",
        "data": [
            {
                "is_default": False,
                "status": "canceled",
                "payment": {"type": "payment_intent", "payment_intent": "pi_0"},
            },
            {"is_default": True, "status": "open", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}},
        ],
    },
    "lines": {
        "data": [
            {
                "amount": 2000,
                "description": "1 × Pro",
                "pricing": {"type": "price_details", "price_details": {"price": "price_1", "product": "prod_1"}},
            }
        ]
    },
    "livemode": True,
    "metadata": {"order": "7"},
    "status_transitions": {"paid_at": None},
    "a_field_of_tomorrow": {"deep": [1, 2]},
}
ACACIA: dict[str, Any] = {
    "id": "in_1",
    "customer": {"id": "cus_1", "object": "customer"},
    "status": "open",
    "amount_due": 2000,
    "amount_paid": 0,
    "amount_remaining": 2000,
    "currency": "usd",
    "created": 1700000000,
    "subscription": {"id": "sub_1", "object": "subscription"},
    "payment_intent": {"id": "pi_1", "object": "payment_intent", "latest_charge": "ch_1"},
    "lines": {
        "data": [{"amount": 2000, "price": {"id": "price_1", "product": "prod_1", "recurring": {"interval": "year"}}}]
    },
}
OF_2016: dict[str, Any] = {
    "id": "in_1",
    "customer": "cus_1",
    "subscription": "sub_1",
    "charge": "ch_1",
    "date": 1467331200,
    "amount_due": 2000,
    "currency": "usd",
    "attempted": True,
    "closed": False,
    "forgiven": False,
    "paid": False,
    "lines": {"data": [{"amount": 2000, "plan": {"id": "gold", "interval": "month"}}]},
}


@pytest.mark.parametrize("shape", [DAHLIA, ACACIA, OF_2016], ids=["dahlia", "acacia", "2016"])
def test_every_era_says_who_owes_what_for_which_subscription(shape: dict[str, Any]) -> None:
    invoice = read_invoice(shape)
    assert (invoice.id, invoice.customer_id, invoice.subscription_id) == ("in_1", "cus_1", "sub_1")
    assert (invoice.status, invoice.amount_due, invoice.amount_paid, invoice.amount_remaining) == (
        "open",
        2000,
        0,
        2000,
    )
    assert invoice.collection_method == "charge_automatically"


def test_the_default_payment_is_the_one_that_counts_since_basil() -> None:
    assert read_invoice(DAHLIA).payment_intent_id == "pi_1"


def test_an_expanded_intent_of_old_gives_its_charge_too() -> None:
    invoice = read_invoice(ACACIA)
    assert (invoice.payment_intent_id, invoice.charge_id) == ("pi_1", "ch_1")


def test_lines_name_price_and_product_in_old_and_new_shapes() -> None:
    new, old, oldest = (read_invoice(shape).lines[0] for shape in (DAHLIA, ACACIA, OF_2016))
    assert (new.price_id, new.product_id, new.interval) == ("price_1", "prod_1", None)
    assert (old.price_id, old.product_id, old.interval) == ("price_1", "prod_1", "year")
    assert (oldest.price_id, oldest.interval) == ("gold", "month")


def test_moments_are_aware_and_in_utc() -> None:
    invoice = read_invoice(DAHLIA)
    assert invoice.created == datetime(2026, 10, 1, 1, 0, tzinfo=UTC)
    assert invoice.next_payment_attempt == datetime(2026, 10, 2, 19, 0, tzinfo=UTC)
    assert read_invoice(OF_2016).created.year == 2016


@pytest.mark.parametrize(
    ("flags", "status", "remaining"),
    [
        ({"paid": True}, "paid", 0),
        ({"paid": False, "forgiven": True, "closed": True}, "uncollectible", 2000),
        ({"paid": False, "attempted": True}, "open", 2000),
        ({"paid": False, "attempted": False, "closed": True}, "open", 2000),
        ({"paid": False, "attempted": False, "closed": False}, "draft", 2000),
    ],
)
def test_the_flags_of_before_2018_become_a_status(flags: dict[str, bool], status: str, remaining: int) -> None:
    invoice = read_invoice({**OF_2016, "attempted": False, "closed": False, **flags})
    assert (invoice.status, invoice.amount_remaining) == (status, remaining)


def test_an_invoice_that_was_closed_does_not_advance_by_itself() -> None:
    assert read_invoice(OF_2016).auto_advance
    assert not read_invoice({**OF_2016, "closed": True}).auto_advance
    assert not read_invoice({"id": "in_1"}).auto_advance


PAID = {**DAHLIA, "status": "paid", "amount_paid": 2000, "amount_remaining": 0}


@pytest.mark.parametrize(
    ("change", "out_of_band"),
    [
        ({"paid_out_of_band": True}, True),
        ({"paid_out_of_band": False, "payments": {"data": []}}, False),
        ({"amount_paid_off_stripe": 2000}, True),
        (
            {"amount_paid_off_stripe": 0, "payments": {"data": [{"status": "paid", "payment": {"type": "charge"}}]}},
            False,
        ),
        ({"payments": {"data": [{"status": "canceled", "payment": {"type": "payment_intent"}}]}}, True),
        ({"payments": {"data": [{"status": "paid", "payment": {"type": "payment_record"}}]}}, True),
        ({"payments": {"data": []}, "amount_due": 0}, False),
        ({"payments": None}, False),
        ({"status": "open", "payments": {"data": []}}, False),
    ],
)
def test_money_that_never_went_through_stripe_is_told_apart(change: dict[str, Any], out_of_band: bool) -> None:
    assert read_invoice({**PAID, **change}).paid_out_of_band is out_of_band


def test_an_upcoming_invoice_has_no_id_and_is_still_read() -> None:
    preview = read_invoice({"object": "invoice", "customer": "cus_1", "amount_due": 5, "currency": "JPY", "lines": {}})
    assert (preview.id, preview.currency, preview.status) == ("", "jpy", "draft")


def test_a_subscription_is_found_through_the_lines_when_the_invoice_is_silent() -> None:
    line = {"parent": {"type": "subscription_item_details", "subscription_item_details": {"subscription": "sub_9"}}}
    assert read_invoice({"id": "in_1", "lines": {"data": [{}, line]}}).subscription_id == "sub_9"
    assert read_invoice({"id": "in_1", "lines": {"data": [{"subscription": "sub_8"}]}}).subscription_id == "sub_8"


@pytest.mark.parametrize(
    "junk", [{}, {"lines": "no", "payments": 3}, {"amount_due": "12", "created": 1e30, "metadata": []}]
)
def test_junk_is_read_as_nothing_said(junk: dict[str, Any]) -> None:
    invoice = read_invoice(junk)
    assert (invoice.amount_due, invoice.lines, invoice.metadata) == (0, (), {})
    assert invoice.created == datetime(1970, 1, 1, tzinfo=UTC)
