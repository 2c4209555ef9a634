"""Invoice items: what the next invoice, or a given draft, will bill besides a subscription's prices."""

from app.sandbox import listing
from app.sandbox.billing.lines import item_line, total_up
from app.sandbox.billing.terms import new_invoice_item, pending_parent
from app.sandbox.door import Route
from app.sandbox.errors import missing_param, wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.shapes.invoice import price_pricing
from app.sandbox.store import Doc


def create(ledger: Ledger, params: Params) -> Doc:
    """An amount, or a price, on a draft (`invoice`) or pending until the next one."""
    customer = ledger.get("customer", params.required("customer"), "customer")
    params.ignore("discountable", "discounts", "period", "tax_behavior", "tax_code", "tax_rates", "quantity_decimal")
    amount, currency, pricing = _price(ledger, params)
    subscription = params.text("subscription")
    item = new_invoice_item(
        customer["id"],
        currency,
        amount,
        ledger.now,
        description=params.text("description"),
        metadata=merged_metadata({}, params.mapping("metadata")),
        pricing=pricing,
        parent=pending_parent(subscription) if subscription else None,
    )
    ledger.add(item, "invoiceitem.created")
    invoice = params.text("invoice")
    if invoice is not None:
        _put_on(ledger, ledger.get("invoice", invoice, "invoice"), item)
    return item


def retrieve(ledger: Ledger, params: Params, item: str) -> Doc:
    """One invoice item."""
    return ledger.get("invoiceitem", item)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Invoice items by customer, invoice, and whether they still wait."""
    pending = params.flag("pending")
    extra = {None: "", True: "invoice is null", False: "invoice is not null"}[pending]
    equal = {name: params.text(name) for name in ("customer", "invoice")}
    return listing.page(ledger, params, "invoiceitem", "/v1/invoiceitems", equal, extra)


def delete(ledger: Ledger, params: Params, item: str) -> Doc:
    """Take back an item that no invoice has billed yet."""
    doc = ledger.get("invoiceitem", item)
    if doc["invoice"] is not None:
        raise wrong_state("You can't delete an invoice item that is attached to an invoice that is no longer editable.")
    ledger.emit("invoiceitem.deleted", doc)
    ledger.store.remove("invoiceitem", item)
    return {"id": item, "object": "invoiceitem", "deleted": True}


def _price(ledger: Ledger, params: Params) -> tuple[int, str, Doc | None]:
    amount, quantity = params.integer("amount"), params.integer("quantity") or 1
    currency = params.text("currency")
    pricing = params.child("pricing")
    wanted = (pricing.text("price") if pricing else None) or params.text("price")
    if wanted is not None:
        price = ledger.get("price", wanted, "pricing[price]")
        return price["unit_amount"] * quantity, price["currency"], price_pricing(price)
    unit = params.text("unit_amount_decimal")
    if amount is None and unit is None:
        raise missing_param("amount")
    if currency is None:
        raise missing_param("currency")
    return (int(unit) * quantity if amount is None and unit else amount or 0), currency.lower(), None


def _put_on(ledger: Ledger, invoice: Doc, item: Doc) -> None:
    if invoice["status"] != "draft":
        raise wrong_state("This invoice is no longer editable")
    with ledger.changing(item):
        item["invoice"] = invoice["id"]
    with ledger.changing(invoice, "invoice.updated"):
        invoice["lines"]["data"].append(item_line(ledger, invoice, item))
        total_up(ledger, invoice)


ROUTES: list[Route] = [
    ("POST", "/v1/invoiceitems", create),
    ("GET", "/v1/invoiceitems", list_all),
    ("GET", "/v1/invoiceitems/<item>", retrieve),
    ("DELETE", "/v1/invoiceitems/<item>", delete),
]
