"""What changed in the shape of objects with 2025-03-31.basil, undone. It knows no HTTP and keeps nothing.

Source: Stripe's changelogs and the payloads recorded from accounts of 2020-08-27 and later. Fields that came with later
versions and that nobody can mistake for something else are left in place.
"""

from collections.abc import Callable
from typing import Any, Protocol

from app.sandbox.store import Doc

BASIL = "2025-03-31"
_NO_LISTS_OF_CHARGES = "2022-11-15"


class Books(Protocol):
    """Where the links are looked up that older objects carried in themselves."""

    def find(self, kind: str, identifier: str | None) -> Doc | None:
        """The document, or None."""

    def linked(self, kind: str, column: str, value: str, status: str | None = None) -> list[Doc]:
        """Every document of a kind whose column has this value, oldest first."""


def is_old(version: str | None) -> bool:
    """Whether a version has shapes of its own here; versions begin with their date."""
    return bool(version) and str(version) < BASIL


def shaped(books: Books, node: Any, version: str) -> Any:
    """`node`, and everything in it, as that version had it. Changes `node`; events keep the shape they were made in."""
    if isinstance(node, list):
        return [shaped(books, entry, version) for entry in node]
    if not isinstance(node, dict) or node.get("object") == "event":
        return node
    change = _CHANGES.get(node.get("object", ""))
    if change is not None:
        change(books, node, version)
    for name, value in node.items():
        if isinstance(value, dict | list):
            node[name] = shaped(books, value, version)
    return node


def _invoice(books: Books, doc: Doc, version: str) -> None:
    if "lines" not in doc:  # a tombstone
        return
    parent = doc.pop("parent", None) or {}
    details = parent.get("subscription_details") or {}
    record = _newest(books.linked("invoice_payment", "invoice", doc["id"])) if "id" in doc else None
    intent = books.find("payment_intent", record["payment"].get("payment_intent")) if record else None
    for name in ("amount_overpaid", "confirmation_secret", "payments", "total_taxes", "amount_paid_off_stripe"):
        doc.pop(name, None)
    doc.update(
        application_fee_amount=None,
        charge=intent and intent["latest_charge"],
        discount=None,
        paid=doc["status"] == "paid",
        paid_out_of_band=doc["status"] == "paid" and bool(intent) and (intent or {})["status"] == "canceled",
        payment_intent=intent and intent["id"],
        quote=None,
        subscription=details.get("subscription"),
        subscription_details={"metadata": details.get("metadata")},
        tax=None,
        total_tax_amounts=[],
        transfer_data=None,
    )


def _line(books: Books, doc: Doc, version: str) -> None:
    parent, pricing = doc.pop("parent", None) or {}, doc.pop("pricing", None) or {}
    doc.pop("taxes", None)
    doc.pop("quantity_decimal", None)
    details = parent.get(parent.get("type", "")) or {}
    price = books.find("price", (pricing.get("price_details") or {}).get("price"))
    doc.update(
        plan=_plan(price),
        price=price and dict(price),
        proration=details.get("proration", False),
        proration_details=details.get("proration_details") or {"credited_items": None},
        subscription=details.get("subscription"),
        subscription_item=details.get("subscription_item"),
        tax_amounts=[],
        tax_rates=[],
        type="subscription" if parent.get("type") == "subscription_item_details" else "invoiceitem",
    )
    if doc["type"] == "invoiceitem":
        doc["invoice_item"] = details.get("invoice_item")


def _invoice_item(books: Books, doc: Doc, version: str) -> None:
    details = (doc.pop("parent", None) or {}).get("subscription_details") or {}
    pricing = doc.pop("pricing", None) or {}
    price = books.find("price", (pricing.get("price_details") or {}).get("price"))
    doc.update(
        plan=_plan(price),
        price=price and dict(price),
        subscription=details.get("subscription"),
        subscription_item=details.get("subscription_item"),
    )


def _subscription(books: Books, doc: Doc, version: str) -> None:
    items = doc["items"]["data"]
    for name in ("current_period_start", "current_period_end"):
        doc[name] = items[0].get(name, doc.get(name)) if items else doc.get(name)
        for item in items:
            item.pop(name, None)
    doc.update(discount=None, plan=items[0]["plan"] if len(items) == 1 else None)
    doc["quantity"] = items[0]["quantity"] if len(items) == 1 else None
    for name in ("billing_mode", "billing_schedules", "managed_payments"):
        doc.pop(name, None)


def _intent(books: Books, doc: Doc, version: str) -> None:
    doc.update(invoice=(doc.pop("payment_details", None) or {}).get("order_reference"), source=None)
    if version < _NO_LISTS_OF_CHARGES:
        charges = [dict(charge) for charge in reversed(books.linked("charge", "payment_intent", doc["id"]))]
        doc["charges"] = _list_of(charges, f"/v1/charges?payment_intent={doc['id']}")


def _charge(books: Books, doc: Doc, version: str) -> None:
    intent = books.find("payment_intent", doc["payment_intent"]) if isinstance(doc["payment_intent"], str) else None
    details = ((intent or {}).get("payment_details")) or {}
    disputed = books.linked("dispute", "payment_intent", doc["payment_intent"]) if intent else []
    doc.update(
        destination=None,
        dispute=disputed[-1]["id"] if disputed else None,
        invoice=details.get("order_reference"),
        order=None,
        source=None,
    )
    if version < _NO_LISTS_OF_CHARGES and intent:
        refunds = [dict(refund) for refund in reversed(books.linked("refund", "payment_intent", intent["id"]))]
        doc["refunds"] = _list_of(refunds, f"/v1/charges/{doc['id']}/refunds")


def _list_of(docs: list[Doc], url: str) -> Doc:
    return {"object": "list", "data": docs, "has_more": False, "total_count": len(docs), "url": url}


def _plan(price: Doc | None) -> Doc | None:
    """The older name of a recurring price, as far as lines carried it."""
    if price is None or not price["recurring"]:
        return None
    same = ("id", "active", "billing_scheme", "created", "currency", "livemode", "metadata", "nickname", "product")
    every = price["recurring"]
    return {
        **{name: price[name] for name in same},
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": every["interval"],
        "interval_count": every["interval_count"],
        "usage_type": every["usage_type"],
    }


def _newest(records: list[Doc]) -> Doc | None:
    return records[-1] if records else None


_CHANGES: dict[str, Callable[[Books, Doc, str], None]] = {
    "charge": _charge,
    "invoice": _invoice,
    "invoiceitem": _invoice_item,
    "line_item": _line,
    "payment_intent": _intent,
    "subscription": _subscription,
}
