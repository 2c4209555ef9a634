"""Changing what a subscription consists of: prorations, and when a change begins a new billing period.

Source: Stripe's documentation of upgrades and downgrades. A changed interval, or from free to paid, starts a new
period and bills at once, unless `billing_cycle_anchor` says `unchanged`.
"""

from dataclasses import dataclass

from app.sandbox import ids
from app.sandbox.billing import cycles
from app.sandbox.errors import bad_param
from app.sandbox.ledger import Ledger
from app.sandbox.shapes.invoice import price_pricing
from app.sandbox.store import Doc


@dataclass(frozen=True)
class ItemChange:
    """How the caller wants the change to be billed. `anchor` is `now`, `unchanged` or None."""

    prorate: str = "create_prorations"
    anchor: str | None = None


def change_items(ledger: Ledger, subscription: Doc, items: list[Doc], change: ItemChange) -> bool:
    """Put `items` in the place of the present ones; True when a new period begins, which the caller has to bill."""
    if not items:
        raise bad_param("items", "A subscription must have at least one active plan.")
    before = subscription["items"]["data"]
    intervals = {_interval(item) for item in items}
    if len(intervals) > 1:
        raise bad_param("items", "Currency and interval fields must match across all plans on this subscription.")
    starts_anew = change.anchor == "now" or (change.anchor != "unchanged" and _needs_new_period(before, items))
    trial = subscription["status"] == "trialing"
    if change.prorate != "none" and not trial:
        _prorate(ledger, subscription, before, items, starts_anew)
    subscription["items"]["data"] = items
    if trial:
        return False
    if starts_anew:
        subscription["billing_cycle_anchor"] = ledger.now
        cycles.set_period(ledger, subscription, cycles.following_period(subscription, ledger.now))
    return starts_anew


def _interval(item: Doc) -> tuple[str, int]:
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _amount(items: list[Doc]) -> int:
    return sum((item["price"]["unit_amount"] or 0) * item["quantity"] for item in items)


def _needs_new_period(before: list[Doc], items: list[Doc]) -> bool:
    return _interval(before[0]) != _interval(items[0]) or (_amount(before) == 0 and _amount(items) > 0)


def _prorate(ledger: Ledger, subscription: Doc, before: list[Doc], items: list[Doc], starts_anew: bool) -> None:
    """Credit for the rest of what was paid, and the price of the same rest under the new terms."""
    start, end = cycles.period_of(subscription)
    share = (end - ledger.now) / (end - start)
    if share <= 0:
        return
    old = {item["id"]: item for item in before}
    new = {item["id"]: item for item in items}
    for identifier in old.keys() | new.keys():
        was, becomes = old.get(identifier), new.get(identifier)
        if was is not None and becomes is not None and _same(was, becomes):
            continue
        if was is not None and _amount([was]):
            _pending(ledger, subscription, was, -round(_amount([was]) * share), "Unused time on", end)
        if becomes is not None and _amount([becomes]) and not starts_anew:
            _pending(ledger, subscription, becomes, round(_amount([becomes]) * share), "Remaining time on", end)


def _same(was: Doc, becomes: Doc) -> bool:
    return bool(was["price"]["id"] == becomes["price"]["id"] and was["quantity"] == becomes["quantity"])


def _pending(ledger: Ledger, subscription: Doc, item: Doc, amount: int, words: str, end: int) -> None:
    product = ledger.find("product", item["price"]["product"]) or {"name": "Plan"}
    ledger.add(
        new_invoice_item(
            subscription["customer"],
            item["price"]["currency"],
            amount,
            ledger.now,
            description=f"{words} {product['name']}",
            period={"start": ledger.now, "end": end},
            pricing=price_pricing(item["price"]),
            proration=True,
            parent=pending_parent(subscription["id"], item["id"]),
        ),
        "invoiceitem.created",
    )


def pending_parent(subscription: str, item: str | None = None) -> Doc:
    """The `parent` of an invoice item that waits for a subscription's next invoice."""
    details = {"subscription": subscription, "subscription_item": item}
    return {"type": "subscription_details", "subscription_details": details}


def new_invoice_item(customer: str, currency: str, amount: int, now: int, **fields: object) -> Doc:
    """Something that the customer's next invoice will bill; `amount` in minor units."""
    return {
        "id": ids.new("ii"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": currency,
        "customer": customer,
        "customer_account": None,
        "date": now,
        "description": None,
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "net_amount": amount,
        "parent": None,
        "period": {"start": now, "end": now},
        "pricing": None,
        "proration": False,
        "quantity": 1,
        "quantity_decimal": "1",
        "tax_rates": [],
        "test_clock": None,
        **fields,
    }
