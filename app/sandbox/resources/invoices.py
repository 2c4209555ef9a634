"""Invoices: read, changed while that is allowed, paid, and ended."""

from app.sandbox import listing, policy
from app.sandbox.billing import collection, due_dates, invoicing, payments, standing
from app.sandbox.billing.declined import action_required, card_error
from app.sandbox.billing.drafts import stop_waiting, wait
from app.sandbox.billing.lines import pull_in_items, total_up
from app.sandbox.declines import Decline
from app.sandbox.door import Route
from app.sandbox.errors import StripeRefusal, bad_param, missing_param, wrong_state
from app.sandbox.issuer import NeedsAuthentication
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.policy import DAY, HOUR
from app.sandbox.resources.coupons import read_discounts
from app.sandbox.resources.payment_methods import not_attached, usable_method
from app.sandbox.shapes.invoice import new_invoice
from app.sandbox.store import Doc

# What nobody changes any more once an invoice is finalized.
_FIXED_AT_LAST = ("description", "discounts", "collection_method", "days_until_due", "default_tax_rates", "number")

_UNKNOWN_HERE = (
    "account_tax_ids application_fee_amount automatic_tax custom_fields default_source default_tax_rates"
    " effective_at footer issuer number on_behalf_of payment_settings rendering shipping_cost shipping_details"
    " statement_descriptor transfer_data automatically_finalizes_at from_invoice"
).split()


def create(ledger: Ledger, params: Params) -> Doc:
    """A draft outside any renewal, with the customer's pending items unless they are excluded."""
    customer = ledger.get("customer", params.required("customer"), "customer")
    params.ignore("pending_invoice_items_behavior", "subscription", *_UNKNOWN_HERE)
    currency = params.text("currency") or customer["currency"] or "usd"
    invoice = new_invoice(
        customer, currency.lower(), ledger.now, account_name=policy.load(ledger).business_name, auto_advance=False
    )
    _read(ledger, params, invoice)
    invoice["auto_advance"] = params.flag("auto_advance") or False
    read_discounts(ledger, params, invoice, invoice=invoice["id"])
    if params.raw("pending_invoice_items_behavior") == "include":
        pull_in_items(ledger, invoice)
    if invoice["auto_advance"]:
        wait(ledger, invoice)
    return ledger.add(invoice, "invoice.created")


def update(ledger: Ledger, params: Params, invoice: str) -> Doc:
    """Change a draft; of a finalized one only collection, description of terms and metadata."""
    doc = ledger.get("invoice", invoice)
    params.ignore(*_UNKNOWN_HERE)
    fixed = _FIXED_AT_LAST if doc["status"] == "open" else (*_FIXED_AT_LAST, "auto_advance", "due_date")
    if doc["status"] != "draft" and any(name in params for name in fixed):
        raise wrong_state("Finalized invoices can't be updated in this way")
    with ledger.changing(doc, "invoice.updated"):
        _read(ledger, params, doc)
        if doc["status"] == "draft" and "discounts" in params:
            read_discounts(ledger, params, doc, invoice=invoice)
            total_up(ledger, doc)
        _switch_collection(ledger, doc, params.flag("auto_advance"))
    if doc["status"] == "open" and "due_date" in params and doc["due_date"]:
        due_dates.expect(ledger, doc)
    return doc


def delete(ledger: Ledger, params: Params, invoice: str) -> Doc:
    """Delete a draft that belongs to no subscription."""
    doc = ledger.get("invoice", invoice)
    if doc["status"] != "draft":
        raise wrong_state("You can only delete draft invoices.")
    ledger.set_timer("finalize", invoice, None)
    ledger.emit("invoice.deleted", doc)
    ledger.store.remove("invoice", invoice)
    return {"id": invoice, "object": "invoice", "deleted": True}


def retrieve(ledger: Ledger, params: Params, invoice: str) -> Doc:
    """One invoice."""
    return ledger.get("invoice", invoice)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Invoices by customer, subscription, status and collection method."""
    method = params.choice("collection_method", "charge_automatically", "send_invoice")
    params.ignore("due_date")
    equal = {name: params.text(name) for name in ("customer", "subscription")}
    equal["status"] = params.choice("status", "draft", "open", "paid", "uncollectible", "void")
    extra = "json_extract(body, '$.collection_method') = ?" if method else ""
    return listing.page(ledger, params, "invoice", "/v1/invoices", equal, extra, (method,) if method else ())


def lines(ledger: Ledger, params: Params, invoice: str) -> Doc:
    """An invoice's lines."""
    doc = ledger.get("invoice", invoice)
    params.ignore("limit", "starting_after", "ending_before")
    return dict(doc["lines"])


def finalize(ledger: Ledger, params: Params, invoice: str) -> Doc:
    """Finalize a draft; with `auto_advance` its collection begins an hour later at most."""
    doc = ledger.get("invoice", invoice)
    automatic = params.flag("auto_advance")
    if automatic is not None and doc["status"] == "draft":
        doc["auto_advance"] = automatic
    invoicing.finalize(ledger, doc)
    if doc["auto_advance"] and doc["status"] == "open" and doc["collection_method"] == "charge_automatically":
        ledger.set_timer("collect", invoice, ledger.now + HOUR)
        with ledger.changing(doc):
            doc["next_payment_attempt"] = ledger.now + HOUR
    return doc


def pay(ledger: Ledger, params: Params, invoice: str) -> Doc:
    """Charge now, or settle outside Stripe. A decline is a 402 that carries the intent, the charge and the method."""
    doc = ledger.get("invoice", invoice)
    params.ignore("off_session", "mandate", "forgive")
    out_of_band = params.flag("paid_out_of_band")
    reference = params.text("payment_method") or params.text("source")
    if doc["status"] == "paid":
        raise wrong_state("Invoice is already paid")
    if doc["status"] not in ("draft", "open"):
        raise wrong_state("You can only pass in open invoices. This invoice isn't open.")
    method = _paying_method(ledger, reference, doc)
    if doc["status"] == "draft":
        invoicing.finalize(ledger, doc)
    if doc["status"] == "paid":
        return doc
    if out_of_band:
        collection.mark_paid(ledger, doc, out_of_band=True)
        return doc
    if method is None:
        raise StripeRefusal(
            400,
            "There is no `default_payment_method` set on this Customer or Invoice. Please set either field or provide a"
            " payment_method.",
            code="invoice_no_payment_method_types" if doc["collection_method"] == "send_invoice" else "missing",
        )
    return _charged(ledger, doc, method)


def void(ledger: Ledger, params: Params, invoice: str) -> Doc:
    """Take an open invoice back."""
    doc = ledger.get("invoice", invoice)
    invoicing.void(ledger, doc)
    return doc


def mark_uncollectible(ledger: Ledger, params: Params, invoice: str) -> Doc:
    """Write an open invoice off."""
    doc = ledger.get("invoice", invoice)
    invoicing.mark_uncollectible(ledger, doc)
    standing.forgive(ledger, doc)
    return doc


def send(ledger: Ledger, params: Params, invoice: str) -> Doc:
    """Announce the invoice to its customer; a draft is finalized first."""
    doc = ledger.get("invoice", invoice)
    if doc["status"] == "draft":
        invoicing.finalize(ledger, doc)
    ledger.emit("invoice.sent", doc)
    return doc


def _charged(ledger: Ledger, doc: Doc, method: Doc) -> Doc:
    verdict = collection.attempt_by_hand(ledger, doc, method)
    intent = payments.intent_of(ledger, doc)
    if isinstance(verdict, Decline):
        charge = intent["latest_charge"] if intent else None
        raise card_error(verdict, charge=charge, payment_intent=intent, payment_method=method)
    if isinstance(verdict, NeedsAuthentication):
        raise action_required(intent, method)
    return doc


def _paying_method(ledger: Ledger, reference: str | None, doc: Doc) -> Doc | None:
    if reference is None:
        return payments.method_for(ledger, doc)
    method = usable_method(ledger, reference)
    if method["customer"] not in (None, doc["customer"]):
        raise not_attached(reference)
    return method


def _read(ledger: Ledger, params: Params, doc: Doc) -> None:
    if "description" in params:
        doc["description"] = params.text("description")
    method = params.choice("collection_method", "charge_automatically", "send_invoice")
    if method is not None and doc["status"] == "draft":
        doc["collection_method"] = method
    days, due = params.integer("days_until_due"), params.integer("due_date")
    if doc["collection_method"] == "send_invoice" and doc["due_date"] is None and days is None and due is None:
        raise missing_param("days_until_due")
    if doc["collection_method"] != "send_invoice" and (days is not None or due is not None):
        raise bad_param("due_date", "Only invoices with the collection method `send_invoice` have a due date.")
    doc["due_date"] = due or (ledger.now + days * DAY if days is not None else doc["due_date"])
    if "default_payment_method" in params:
        wanted = params.text("default_payment_method")
        found = _paying_method(ledger, wanted, doc) if wanted else None
        doc["default_payment_method"] = found and found["id"]
    doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))


def _switch_collection(ledger: Ledger, doc: Doc, automatic: bool | None) -> None:
    """Turning `auto_advance` off stops Stripe's own finalizing and retrying; turning it on begins them again."""
    if automatic is None or automatic == doc["auto_advance"]:
        return
    doc["auto_advance"] = automatic
    if doc["status"] == "draft":
        (wait if automatic else stop_waiting)(ledger, doc)
    elif not automatic:
        doc["next_payment_attempt"] = None
        ledger.set_timer("collect", doc["id"], None)
    elif doc["collection_method"] == "charge_automatically":
        collection.resume(ledger, doc)


ROUTES: list[Route] = [
    ("POST", "/v1/invoices", create),
    ("GET", "/v1/invoices", list_all),
    ("GET", "/v1/invoices/<invoice>", retrieve),
    ("POST", "/v1/invoices/<invoice>", update),
    ("DELETE", "/v1/invoices/<invoice>", delete),
    ("GET", "/v1/invoices/<invoice>/lines", lines),
    ("POST", "/v1/invoices/<invoice>/finalize", finalize),
    ("POST", "/v1/invoices/<invoice>/pay", pay),
    ("POST", "/v1/invoices/<invoice>/void", void),
    ("POST", "/v1/invoices/<invoice>/mark_uncollectible", mark_uncollectible),
    ("POST", "/v1/invoices/<invoice>/send", send),
]
