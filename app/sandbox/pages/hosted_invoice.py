"""The hosted invoice: what is owed, a form to pay it, and the bank's question when a payment asks one.

Source: the address dies thirty days after the due date, or after finalization when there is none.
"""

from typing import Any

from flask import redirect

from app.money import Money, format_money
from app.sandbox.billing import collection, payments
from app.sandbox.declines import Decline
from app.sandbox.errors import StripeRefusal, missing
from app.sandbox.ledger import Ledger
from app.sandbox.pages.form import chosen_method, entered, pressed, wants_another_card
from app.sandbox.pages.render import notice, page
from app.sandbox.policy import DAY
from app.sandbox.store import Doc

_GOOD_FOR = 30 * DAY


def show(ledger: Ledger, identifier: str, problem: str | None = None) -> Any:
    """What is owed, with the bank's question when one is open, else a form to pay."""
    invoice = _reachable(ledger, identifier)
    if _is_over(ledger, invoice):
        return _over(ledger)
    intent = payments.intent_of(ledger, invoice)
    return page(
        ledger,
        "invoice",
        title=f"Invoice {invoice['number'] or ''}",
        invoice=invoice,
        amount=format_money(Money(invoice["amount_due"], invoice["currency"])),
        confirming=bool(intent and intent["status"] == "requires_action") and not wants_another_card(),
        problem=problem,
        **entered(),
    )


def show_pdf(ledger: Ledger, identifier: str) -> Any:
    """Where `invoice_pdf` leads: this sandbox prints nothing, so to the page of the same invoice."""
    return redirect(f"{ledger.base_url}/i/{_reachable(ledger, identifier)['id']}", 303)


def answer(ledger: Ledger, identifier: str) -> Any:
    """Pay with the chosen card, or answer the bank's question."""
    invoice = _reachable(ledger, identifier)
    intent = payments.intent_of(ledger, invoice)
    if _is_over(ledger, invoice):
        return _over(ledger)
    if invoice["status"] != "open" or intent is None:
        return show(ledger, identifier)
    try:
        with ledger.attempt():
            problem = pay_or_confirm(ledger, invoice, intent, pressed())
    except StripeRefusal as refusal:
        return show(ledger, identifier, str(refusal)), 402
    return show(ledger, identifier, problem)


def pay_or_confirm(ledger: Ledger, invoice: Doc, intent: Doc, wish: str) -> str | None:
    """Do what the payer pressed; returns what went wrong, if anything did."""
    asked = intent["status"] == "requires_action"
    if wish == "refuse":
        if asked:
            payments.refuse_authentication(ledger, intent)
            ledger.emit("invoice.payment_failed", invoice)
        return "Your bank was told that this was not you."
    confirms = wish == "approve" and asked
    method = ledger.get("payment_method", intent["payment_method"]) if confirms else chosen_method(ledger)
    verdict = collection.attempt_by_hand(ledger, invoice, method, authenticated=confirms)
    return verdict.message if isinstance(verdict, Decline) else None


def _reachable(ledger: Ledger, identifier: str) -> Doc:
    invoice = ledger.get("invoice", identifier)
    if invoice["hosted_invoice_url"] is None:
        raise missing("invoice", identifier)
    return invoice


def _is_over(ledger: Ledger, invoice: Doc) -> bool:
    began = max(invoice["due_date"] or 0, invoice["status_transitions"]["finalized_at"] or 0)
    return bool(ledger.now > began + _GOOD_FOR)


def _over(ledger: Ledger) -> Any:
    return notice(ledger, "This link has expired", "Ask the merchant for a new one."), 410
