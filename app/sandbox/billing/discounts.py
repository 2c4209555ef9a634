"""Coupons, and what their discounts take off an invoice.

Source: Stripe's documentation of coupons. `once` takes off the first invoice on which there is something to take off,
`repeating` for a number of months, `forever` always; percentages are of what earlier discounts have left. A discount
keeps the terms of its coupon, which may be deleted.
"""

from typing import Any

from app.sandbox import ids
from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.periods import later
from app.sandbox.store import Doc


def redeem(ledger: Ledger, coupon_id: str, customer: str | None, **holder: Any) -> Doc:
    """A new discount from a coupon, for a `subscription` or an `invoice`; raises the 400 for one that is used up."""
    coupon = ledger.get("coupon", coupon_id, "discounts[coupon]")
    overdue = coupon["redeem_by"] is not None and coupon["redeem_by"] < ledger.now
    if overdue or not coupon["valid"]:
        raise StripeRefusal(400, f"Coupon expired: {coupon_id}", code="coupon_expired", param="coupon")
    months = coupon["duration_in_months"]
    discount = {
        "id": ids.new("di"),
        "object": "discount",
        "checkout_session": None,
        "customer": customer,
        "customer_account": None,
        "end": later(ledger.now, "month", months) if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "source": {"type": "coupon", "coupon": coupon_id},
        "start": ledger.now,
        "subscription": None,
        "subscription_item": None,
        **holder,
    }
    terms = {name: coupon[name] for name in ("amount_off", "currency", "duration", "percent_off")}
    ledger.save({"id": discount["id"], **terms}, "_terms")
    with ledger.changing(coupon, "coupon.updated"):
        coupon["times_redeemed"] += 1
        coupon["valid"] = coupon["times_redeemed"] != coupon["max_redemptions"]
    return ledger.add(discount, "customer.discount.created" if holder.get("subscription") else None)


def remove(ledger: Ledger, holder: Doc, discount_id: str) -> None:
    """Take a discount off a subscription or a draft. The caller saves the holder."""
    holder["discounts"] = [entry for entry in holder["discounts"] if entry != discount_id]
    discount = ledger.find("discount", discount_id)
    if discount is not None and discount["subscription"]:
        with ledger.changing(discount):
            discount["end"] = ledger.now
        ledger.emit("customer.discount.deleted", discount)


def in_force(ledger: Ledger, subscription: Doc) -> list[str]:
    """The ids of a subscription's discounts whose time has not run out."""
    found = [ledger.get("discount", entry) for entry in subscription["discounts"]]
    return [discount["id"] for discount in found if discount["end"] is None or discount["end"] > ledger.now]


def take_off(ledger: Ledger, invoice: Doc) -> int:
    """Work out each discount of a draft, spread it over the lines, and return the sum of them."""
    lines = [line for line in invoice["lines"]["data"] if line["discountable"] and line["amount"] > 0]
    for line in invoice["lines"]["data"]:
        line["discount_amounts"] = []
    left = sum(line["amount"] for line in lines)
    invoice["total_discount_amounts"] = []
    for identifier in invoice["discounts"]:
        amount = _worth(ledger, identifier, left, invoice["currency"])
        left -= amount
        invoice["total_discount_amounts"].append({"amount": amount, "discount": identifier})
        for line, share in zip(lines, _shares([line["amount"] for line in lines], amount), strict=True):
            line["discount_amounts"].append({"amount": share, "discount": identifier})
    return sum(entry["amount"] for entry in invoice["total_discount_amounts"])


def spend(ledger: Ledger, subscription: Doc, invoice: Doc) -> None:
    """A `once` discount that took something off leaves its subscription, and so does one whose time is over.

    The caller saves the subscription.
    """
    used = {entry["discount"] for entry in invoice["total_discount_amounts"] if entry["amount"]}
    running = in_force(ledger, subscription)
    for identifier in list(subscription["discounts"]):
        once = ledger.get("_terms", identifier)["duration"] == "once"
        if identifier not in running or (once and identifier in used):
            remove(ledger, subscription, identifier)


def _worth(ledger: Ledger, discount_id: str, left: int, currency: str) -> int:
    terms = ledger.get("_terms", discount_id)
    if terms["percent_off"] is not None:
        share: float = terms["percent_off"]
        return round(left * share / 100)
    amount: int = terms["amount_off"] if terms["currency"] == currency else 0
    return min(amount, left)


def _shares(amounts: list[int], whole: int) -> list[int]:
    """`whole` split in proportion to `amounts`, to the unit."""
    total, seen, given, shares = sum(amounts), 0, 0, []
    for amount in amounts:
        seen += amount
        upto = whole * seen // total if total else 0
        shares.append(upto - given)
        given = upto
    return shares
