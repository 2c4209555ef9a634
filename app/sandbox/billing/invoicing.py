"""An invoice from draft to its end: finalizing, voiding, giving it up.

Wrong-state texts are as real accounts send them.
"""

from app.sandbox.billing import balances, collection, due_dates, payments, standing
from app.sandbox.errors import wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.policy import DAY
from app.sandbox.store import Doc


def finalize(ledger: Ledger, invoice: Doc) -> None:
    """Draft to open, with a number, a page and a PaymentIntent; nothing to pay settles at once."""
    if invoice["status"] != "draft":
        raise wrong_state("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    ledger.set_timer("finalize", invoice["id"], None)
    customer = ledger.get("customer", invoice["customer"])
    with ledger.changing(customer):
        balances.apply(ledger, invoice, customer)
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
            next_payment_attempt=None,
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
        due_dates.expect(ledger, invoice)
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
    for timer in standing.INVOICE_TIMERS:
        ledger.set_timer(timer, invoice["id"], None)
    if status == "void":
        payments.cancel_intent(ledger, invoice)
        balances.give_back(ledger, invoice)
    with ledger.changing(invoice, "invoice.updated"):
        invoice.update(status=status, auto_advance=False, next_payment_attempt=None)
        invoice["status_transitions"][moment] = ledger.now
    ledger.emit(event, invoice)
