"""What a draft bills: its lines, the customer's items that wait for an invoice, and the sums over both."""

from collections.abc import Iterator

from app.sandbox.billing import discounts
from app.sandbox.ledger import Ledger
from app.sandbox.shapes.invoice import item_parent, new_line, price_pricing, subscription_parent
from app.sandbox.store import Doc


def total_up(ledger: Ledger, invoice: Doc) -> None:
    """Recompute a draft's amounts from its lines and its discounts."""
    subtotal = sum(line["amount"] for line in invoice["lines"]["data"])
    total = subtotal - discounts.take_off(ledger, invoice)
    invoice.update(subtotal=subtotal, subtotal_excluding_tax=subtotal, total=total, total_excluding_tax=total)
    invoice["amount_due"] = invoice["amount_remaining"] = max(total, 0)


def pull_in_items(ledger: Ledger, invoice: Doc, subscription: str | None = None) -> None:
    """Move the customer's waiting items onto a draft: those of `subscription`, and those of none."""
    for item in waiting_items(ledger, invoice, subscription):
        item["invoice"] = invoice["id"]
        ledger.save(item)
        invoice["lines"]["data"].append(item_line(ledger, invoice, item))
    total_up(ledger, invoice)


def waiting_items(ledger: Ledger, invoice: Doc, subscription: str | None) -> Iterator[Doc]:
    """The items that this invoice would bill if it were made now."""
    for item in ledger.linked("invoiceitem", "customer", invoice["customer"]):
        waits_for = item["parent"] and item["parent"]["subscription_details"]["subscription"]
        mine = item["invoice"] is None and waits_for in (None, subscription)
        if mine and item["currency"] == invoice["currency"]:
            yield item


def item_line(ledger: Ledger, invoice: Doc, item: Doc) -> Doc:
    """The line that bills an invoice item."""
    price = ledger.find("price", ((item["pricing"] or {}).get("price_details") or {}).get("price"))
    return new_line(
        invoice["id"],
        item["amount"],
        item["currency"],
        item["quantity"],
        item["description"] or "",
        (item["period"]["start"], item["period"]["end"]),
        item_parent(item),
        price_pricing(price) if price else item["pricing"],
    )


def price_line(ledger: Ledger, invoice: Doc, subscription: Doc, item: Doc, period: tuple[int, int]) -> Doc:
    """The line that bills one of a subscription's items for a period; in a trial it costs nothing."""
    trial = subscription["status"] == "trialing" and (subscription["trial_end"] or 0) > period[0]
    price, quantity = item["price"], item["quantity"]
    product = ledger.find("product", price["product"]) or {"name": "Plan"}
    text = f"Trial period for {product['name']}" if trial else f"{quantity} × {product['name']}"
    return new_line(
        invoice["id"],
        0 if trial else (price["unit_amount"] or 0) * quantity,
        price["currency"],
        quantity,
        text,
        period,
        subscription_parent(subscription["id"], item["id"]),
        price_pricing(price),
    )
