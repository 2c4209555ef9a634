"""An invoice from draft to its end: finalizing, voiding, giving it up.

Wrong-state texts are as real accounts send them.
"""

from app.money import exponent
from app.sandbox.billing import collection, payments
from app.sandbox.errors import wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.policy import DAY
from app.sandbox.shapes.invoice import item_parent, new_line, price_pricing
from app.sandbox.store import Doc

_MINIMUM = {
    "usd": 50,
    "eur": 50,
    "gbp": 30,
    "jpy": 50,
    "cad": 50,
    "aud": 50,
    "chf": 50,
    "sek": 300,
    "dkk": 250,
    "nok": 300,
}


def total_up(invoice: Doc) -> None:
    """Recompute a draft's amounts from its lines."""
    total = sum(line["amount"] for line in invoice["lines"]["data"])
    for name in ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"):
        invoice[name] = total
    invoice["amount_due"] = invoice["amount_remaining"] = max(total, 0)


def pull_in_items(ledger: Ledger, invoice: Doc, subscription: str | None = None) -> None:
    """Move the customer's pending invoice items onto a draft: those of `subscription`, and those of none."""
    for item in ledger.linked("invoiceitem", "customer", invoice["customer"]):
        waits_for = item["parent"] and item["parent"]["subscription_details"]["subscription"]
        mine = item["invoice"] is None and waits_for in (None, subscription)
        if mine and item["currency"] == invoice["currency"]:
            item["invoice"] = invoice["id"]
            ledger.save(item)
            period = (item["period"]["start"], item["period"]["end"])
            price = ledger.find("price", ((item["pricing"] or {}).get("price_details") or {}).get("price"))
            line = new_line(
                invoice["id"],
                item["amount"],
                item["currency"],
                item["quantity"],
                item["description"] or "",
                period,
                item_parent(item),
                price_pricing(price) if price else item["pricing"],
            )
            invoice["lines"]["data"].append(line)
    total_up(invoice)


def finalize(ledger: Ledger, invoice: Doc) -> None:
    """Draft to open, with a number, a page and a PaymentIntent; nothing to pay settles at once."""
    if invoice["status"] != "draft":
        raise wrong_state("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    ledger.set_timer("finalize", invoice["id"], None)
    customer = ledger.get("customer", invoice["customer"])
    with ledger.changing(customer):
        _apply_balance(invoice, customer)
        number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
        customer["next_invoice_sequence"] += 1
        customer["currency"] = customer["currency"] or invoice["currency"]
    with ledger.changing(invoice):
        page = f"{ledger.base_url}/i/{invoice['id']}"
        invoice.update(
            automatically_finalizes_at=None,
            effective_at=ledger.now,
            hosted_invoice_url=page,
            invoice_pdf=f"{page}/pdf",
            number=number,
            status="open",
            webhooks_delivered_at=ledger.now,
        )
        invoice["status_transitions"]["finalized_at"] = ledger.now
        if invoice["collection_method"] == "send_invoice":
            invoice["due_date"] = invoice["due_date"] or ledger.now + 30 * DAY
    ledger.emit("invoice.finalized", invoice)
    if invoice["amount_due"] == 0:
        collection.mark_paid(ledger, invoice)
        return
    payments.open_intent(ledger, invoice)
    if invoice["collection_method"] == "send_invoice":
        ledger.emit("invoice.sent", invoice)


def finalize_and_collect(ledger: Ledger, invoice: Doc) -> None:
    """What happens to a draft when its hour is over: it is finalized and, unless it is sent by mail, charged."""
    if invoice["status"] != "draft":
        return
    finalize(ledger, invoice)
    if invoice["collection_method"] == "charge_automatically":
        collection.attempt_by_schedule(ledger, invoice)


def void(ledger: Ledger, invoice: Doc) -> None:
    """The invoice is taken back; nobody owes it."""
    if invoice["status"] == "paid":
        raise wrong_state("Invoices with `paid` payments cannot be voided.")
    if invoice["status"] == "draft":
        raise wrong_state("You can't void a draft invoice. Finalize it first, or delete it.")
    if invoice["status"] == "void":
        raise wrong_state("This invoice has already been voided.")
    _close(ledger, invoice, "void", "voided_at", "invoice.voided")


def mark_uncollectible(ledger: Ledger, invoice: Doc) -> None:
    """The invoice is written off."""
    if invoice["status"] == "uncollectible":
        raise wrong_state("This invoice has already been marked uncollectible.")
    if invoice["status"] != "open":
        raise wrong_state("You can only mark an open invoice as uncollectible.")
    _close(ledger, invoice, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")


def _close(ledger: Ledger, invoice: Doc, status: str, moment: str, event: str) -> None:
    ledger.set_timer("collect", invoice["id"], None)
    if status == "void":
        payments.cancel_intent(ledger, invoice)
    with ledger.changing(invoice, "invoice.updated"):
        invoice.update(status=status, auto_advance=False, next_payment_attempt=None)
        invoice["status_transitions"][moment] = ledger.now
    ledger.emit(event, invoice)


def minimum_charge(currency: str) -> int:
    """The least that is worth a charge, in minor units: about half a dollar.

    Approximate for currencies that Stripe's table of minimums names and this one does not.
    """
    return _MINIMUM.get(currency, 500 if exponent(currency) == 3 else 50)


def _apply_balance(invoice: Doc, customer: Doc) -> None:
    """Credit (a negative balance) pays first; debts too small to charge go onto the balance."""
    balance = customer["balance"]
    owed = invoice["total"] + balance
    invoice["starting_balance"] = balance
    due, rest = (0, owed) if owed < minimum_charge(invoice["currency"]) else (owed, 0)
    invoice["amount_due"] = invoice["amount_remaining"] = due
    customer["balance"] = invoice["ending_balance"] = rest
