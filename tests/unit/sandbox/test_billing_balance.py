"""Credit, small amounts and coupons: what an invoice asks for in the end."""

from typing import Any

import pytest

from app.sandbox.billing import balances, cycles, discounts, invoicing
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.resources import coupons
from app.sandbox.store import Doc
from tests.unit.sandbox.play import DAY, HOUR, Play


def credit(play: Play, customer: str, amount: int) -> None:
    def give(ledger: Ledger) -> None:
        doc = ledger.get("customer", customer)
        with ledger.changing(doc, "customer.updated"):
            balances.change(ledger, doc, amount, "adjustment", "usd")

    play.act(give)


def renewal(play: Play, made: Doc) -> Doc:
    """Go to the end of the period and an hour further; the renewal's invoice."""
    play.run_to(cycles.period_of(play.subscription(made))[1] + HOUR)
    return play.find("invoice", play.subscription(made)["latest_invoice"])


def entries(play: Play) -> list[tuple[str, int, int]]:
    rows = play.world.store.fetch(
        "select json_extract(body, '$.type'), json_extract(body, '$.amount'), json_extract(body, '$.ending_balance')"
        " from objects where kind = 'customer_balance_transaction' order by seq"
    )
    return [tuple(row) for row in rows]


def test_credit_pays_first_and_the_card_the_rest(play: Play) -> None:
    made = play.customer(amount=4900)
    credit(play, made["customer"], -1000)
    invoice = renewal(play, made)
    assert (invoice["total"], invoice["amount_due"], invoice["amount_paid"]) == (4900, 3900, 3900)
    assert (invoice["starting_balance"], invoice["ending_balance"]) == (-1000, 0)
    assert entries(play) == [("adjustment", -1000, -1000), ("applied_to_invoice", 1000, 0)]


def test_what_is_too_little_to_charge_settles_as_paid_and_waits_on_the_balance(play: Play) -> None:
    # "Amounts below the minimum chargeable (e.g. 50 ¢) settle as paid and roll to customer balance (recorded)"
    made = play.customer(amount=4900)
    credit(play, made["customer"], -4870)
    before = play.charges("succeeded")
    invoice = renewal(play, made)
    assert (invoice["status"], invoice["amount_due"], invoice["amount_paid"]) == ("paid", 0, 0)
    assert play.find("customer", made["customer"])["balance"] == 30
    assert entries(play)[-1] == ("invoice_too_small", 4900, 30)
    assert play.charges("succeeded") == before
    assert renewal(play, made)["amount_paid"] == 4930


def test_a_voided_invoice_gives_its_credit_back(play: Play) -> None:
    made = play.customer(amount=4900, script=["insufficient_funds"])
    credit(play, made["customer"], -1000)
    invoice = renewal(play, made)
    assert (invoice["status"], play.find("customer", made["customer"])["balance"]) == ("open", 0)
    play.act(lambda ledger: invoicing.void(ledger, ledger.get("invoice", invoice["id"])))
    assert play.find("customer", made["customer"])["balance"] == -1000
    assert entries(play)[-1] == ("unapplied_from_invoice", -1000, -1000)


def test_credit_in_one_currency_pays_nothing_in_another(play: Play) -> None:
    made = play.customer(amount=4900, currency="eur")
    play.act(
        lambda ledger: ledger.save({**ledger.get("customer", made["customer"]), "balance": -1000, "currency": "usd"})
    )
    invoice = renewal(play, made)
    assert (invoice["amount_paid"], play.find("customer", made["customer"])["balance"]) == (4900, -1000)


def discounted(play: Play, made: Doc, **coupon: Any) -> None:
    def redeem(ledger: Ledger) -> None:
        terms = coupons.create(ledger, Params({name: str(value) for name, value in coupon.items()}))
        doc = ledger.get("subscription", made["subscription"])
        with ledger.changing(doc, "customer.subscription.updated"):
            found = discounts.redeem(ledger, terms["id"], doc["customer"], subscription=doc["id"])
            doc["discounts"] = [*doc["discounts"], found["id"]]

    play.act(redeem)


@pytest.mark.parametrize(
    ("coupon", "paid"),
    [
        ({"percent_off": 25, "duration": "once"}, [3675, 4900, 4900]),
        ({"percent_off": 50, "duration": "repeating", "duration_in_months": 1}, [2450, 4900, 4900]),
        ({"amount_off": 900, "currency": "usd", "duration": "forever"}, [4000, 4000, 4000]),
        ({"amount_off": 900, "currency": "eur", "duration": "forever"}, [4900, 4900, 4900]),
        ({"percent_off": 100, "duration": "once"}, [0, 4900, 4900]),
    ],
)
def test_a_coupon_takes_off_for_as_long_as_it_says(play: Play, coupon: dict[str, Any], paid: list[int]) -> None:
    made = play.customer(amount=4900)
    play.now += DAY
    discounted(play, made, **coupon)
    assert [renewal(play, made)["amount_paid"] for _ in range(3)] == paid


def test_a_discount_stands_on_the_invoice_and_its_lines_and_adds_up(play: Play) -> None:
    made = play.customer(amount=4999)
    discounted(play, made, percent_off=33.3, duration="forever")
    discounted(play, made, amount_off=100, currency="usd", duration="once")
    invoice = renewal(play, made)
    amounts = [entry["amount"] for entry in invoice["total_discount_amounts"]]
    assert (amounts, invoice["subtotal"], invoice["total"]) == ([1665, 100], 4999, 3234)
    on_lines = [entry["amount"] for line in invoice["lines"]["data"] for entry in line["discount_amounts"]]
    assert on_lines == amounts
    assert len(play.subscription(made)["discounts"]) == 1
    assert [event["type"] for event in play.events("customer.discount.created", "customer.discount.deleted")] == [
        "customer.discount.created",
        "customer.discount.created",
        "customer.discount.deleted",
    ]
