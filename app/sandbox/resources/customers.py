"""Customers."""

import re
from typing import Any

from app.sandbox import listing, test_clocks
from app.sandbox.billing import balances, collection, payments, standing
from app.sandbox.door import Route
from app.sandbox.errors import bad_param, missing
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.resources.payment_methods import attached, not_attached, usable_method
from app.sandbox.shapes.customer import new_customer
from app.sandbox.store import Doc

_TEXTS = ("name", "email", "phone", "description")
_IGNORED = ("cash_balance", "invoice_prefix", "next_invoice_sequence", "tax", "tax_exempt", "tax_id_data", "validate")
_ADDRESS_OF_MAIL = re.compile(r"[^@\s]+@[^@\s]+")
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def create(ledger: Ledger, params: Params) -> Doc:
    """Create a customer, with a card when `payment_method` or `source` is given."""
    customer = new_customer(ledger.now)
    customer["test_clock"] = _clock(ledger, params)
    _read(ledger, params, customer)
    ledger.add(customer, "customer.created")
    given, source, wanted = params.text("payment_method"), params.text("source"), _wanted_default(params)
    if given:
        method = attached(ledger, usable_method(ledger, given), customer["id"])
        wanted = method["id"] if wanted == given else wanted  # a test card has an id of its own once it is attached
    with ledger.changing(customer, "customer.updated"):
        if source:
            customer["default_source"] = _new_source(ledger, source, customer["id"])
        if wanted is not None:
            customer["invoice_settings"]["default_payment_method"] = _own_method(ledger, wanted, customer)
    return customer


def update(ledger: Ledger, params: Params, customer: str) -> Doc:
    """Change a customer.

    As at Stripe, a new default payment method and a new `default_source` charge nothing by themselves; a new `source`
    does: the latest open invoice of each past-due subscription is tried at once, with the payment method that goes
    first, which need not be the new source.
    """
    doc = _living(ledger, customer)
    with ledger.changing(doc, "customer.updated"):
        _read(ledger, params, doc)
        source = params.text("source")
        if source:
            doc["default_source"] = _new_source(ledger, source, customer)
        elif params.text("default_source"):
            doc["default_source"] = _own_method(ledger, params.required("default_source"), doc)
        settings = params.child("invoice_settings")
        if settings is not None:
            settings.ignore("custom_fields", "footer", "rendering_options")
            if "default_payment_method" in settings:
                wanted = settings.text("default_payment_method")
                doc["invoice_settings"]["default_payment_method"] = wanted and _own_method(ledger, wanted, doc)
    if params.text("source"):
        _retry_latest(ledger, doc)
    return doc


def retrieve(ledger: Ledger, params: Params, customer: str) -> Doc:
    """One customer; a deleted one answers with its tombstone."""
    return ledger.get("customer", customer, "customer")


def delete(ledger: Ledger, params: Params, customer: str) -> Doc:
    """Delete a customer and cancel what it subscribes to."""
    doc = _living(ledger, customer)
    for subscription in ledger.linked("subscription", "customer", customer):
        if subscription["status"] not in standing.ENDED:
            standing.end(ledger, subscription, "cancellation_requested")
    ledger.emit("customer.deleted", doc)
    tombstone = {"id": customer, "object": "customer", "deleted": True}
    ledger.store.put("customer", tombstone, doc["created"], {"status": "deleted"})
    return tombstone


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Customers, newest first, by `email` if given; those on a test clock only when that clock is named."""
    email, clock = params.text("email"), params.text("test_clock")
    extra = "status is null and json_extract(body, '$.test_clock') is ?"
    values: tuple[str | None, ...] = (clock,)
    if email:
        extra, values = f"{extra} and json_extract(body, '$.email') = ?", (clock, email)
    return listing.page(ledger, params, "customer", "/v1/customers", extra=extra, extra_values=values)


def list_methods(ledger: Ledger, params: Params, customer: str) -> Doc:
    """A customer's payment methods."""
    ledger.get("customer", customer, "customer")
    params.ignore("type", "allow_redisplay")
    url = f"/v1/customers/{customer}/payment_methods"
    return listing.page(ledger, params, "payment_method", url, {"customer": customer})


def _clock(ledger: Ledger, params: Params) -> str | None:
    clock = params.text("test_clock")
    if clock is not None:
        ledger.get(test_clocks.KIND, clock, "test_clock")
    return clock


def _living(ledger: Ledger, identifier: str) -> Doc:
    doc = ledger.get("customer", identifier)
    if doc.get("deleted"):
        raise missing("customer", identifier)
    return doc


def _read(ledger: Ledger, params: Params, doc: Doc) -> None:
    params.ignore(*_IGNORED)
    for name in _TEXTS:
        if name in params:
            doc[name] = params.text(name)
    if doc["email"] and not _ADDRESS_OF_MAIL.fullmatch(doc["email"]):
        raise bad_param("email", f"Invalid email address: {doc['email']}", "email_invalid")
    if "preferred_locales" in params:
        doc["preferred_locales"] = params.texts("preferred_locales")
    balance = params.integer("balance")
    if balance is not None and balance != doc["balance"]:
        balances.change(ledger, doc, balance - doc["balance"], "adjustment", doc["currency"] or "usd")
    for name in ("address", "shipping"):
        part = params.child(name)
        if part is not None:
            doc[name] = _address(part) if name == "address" else params.mapping(name)
    doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))


def _address(part: Params) -> dict[str, Any]:
    return {name: part.text(name) for name in _ADDRESS}


def _wanted_default(params: Params) -> str | None:
    settings = params.child("invoice_settings")
    if settings is None:
        return None
    settings.ignore("custom_fields", "footer", "rendering_options")
    return settings.text("default_payment_method")


def _retry_latest(ledger: Ledger, customer: Doc) -> None:
    for subscription in ledger.linked("subscription", "customer", customer["id"], "past_due"):
        invoice = ledger.find("invoice", subscription["latest_invoice"])
        method = payments.method_for(ledger, invoice) if invoice and invoice["status"] == "open" else None
        if invoice and method:
            collection.attempt_by_hand(ledger, invoice, method)


def _new_source(ledger: Ledger, reference: str, customer: str) -> str:
    """A card of the older kind, `card_…`, made from a token; payment methods answer to its id as well."""
    method = usable_method(ledger, reference, "source", prefix="card")
    identifier: str = attached(ledger, method, customer)["id"]
    return identifier


def _own_method(ledger: Ledger, wanted: str, customer: Doc) -> str:
    method = usable_method(ledger, wanted)
    if method["customer"] != customer["id"]:
        raise not_attached(wanted)
    identifier: str = method["id"]
    return identifier


ROUTES: list[Route] = [
    ("POST", "/v1/customers", create),
    ("GET", "/v1/customers", list_all),
    ("GET", "/v1/customers/<customer>", retrieve),
    ("POST", "/v1/customers/<customer>", update),
    ("DELETE", "/v1/customers/<customer>", delete),
    ("GET", "/v1/customers/<customer>/payment_methods", list_methods),
]
