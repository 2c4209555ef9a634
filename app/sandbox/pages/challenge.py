"""The bank's own page (3-D Secure), to which `next_action.redirect_to_url` leads."""

from typing import Any

from app.money import Money, format_money
from app.sandbox.billing import payments
from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.pages.form import pressed
from app.sandbox.pages.hosted_invoice import pay_or_confirm
from app.sandbox.pages.render import back_to, notice, page, safe
from app.sandbox.resources import saving
from app.sandbox.store import Doc


def show(ledger: Ledger, identifier: str) -> Any:
    """The question, while it is open."""
    intent = _intent(ledger, identifier)
    if intent["status"] != "requires_action":
        return notice(ledger, "Nothing to confirm", "Your bank has no open question about this card.")
    paying = intent["object"] == "payment_intent"
    amount = format_money(Money(intent["amount"], intent["currency"])) if paying else None
    return page(ledger, "challenge", title="Your bank", amount=amount)


def answer(ledger: Ledger, identifier: str) -> Any:
    """Approve or refuse, and go back to where the payer came from."""
    intent = _intent(ledger, identifier)
    if intent["status"] != "requires_action":
        return show(ledger, identifier)
    back = safe(intent["next_action"]["redirect_to_url"]["return_url"])
    approved = pressed() == "approve"
    with ledger.attempt():
        (_confirm_payment if intent["object"] == "payment_intent" else _confirm_card)(ledger, intent, approved)
    worked = intent["status"] == "succeeded"
    if back is None:
        return notice(ledger, "Thank you" if worked else "Not confirmed", "You can close this page.")
    told = {intent["object"]: identifier, "redirect_status": "succeeded" if worked else "failed"}
    return back_to(back, **told)


def _intent(ledger: Ledger, identifier: str) -> Doc:
    kind = "payment_intent" if identifier.startswith("pi_") else "setup_intent"
    return ledger.get(kind, identifier, "intent")


def _confirm_card(ledger: Ledger, intent: Doc, approved: bool) -> None:
    if approved:
        saving.confirm(ledger, intent)
    else:
        saving.refuse(ledger, intent)


def _confirm_payment(ledger: Ledger, intent: Doc, approved: bool) -> None:
    invoice = payments.invoice_of(ledger, intent)
    if invoice is None or invoice["status"] != "open":
        raise StripeRefusal(400, "Nothing is owed on this invoice any more.")
    pay_or_confirm(ledger, invoice, intent, "approve" if approved else "refuse")
