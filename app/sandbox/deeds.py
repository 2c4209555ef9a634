"""What operators, customers and banks do beside Recoup: pay elsewhere, cancel, dispute, bring another card.

Each does nothing and says why where it cannot: it raises a 400.
"""

from app.sandbox.billing import collection, invoicing, payments, reversals, standing
from app.sandbox.errors import wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.staging import new_card
from app.sandbox.store import Doc


def pay_elsewhere(ledger: Ledger, customer: str) -> Doc:
    """The operator marks what the customer owes as paid by other means. Returns the invoice."""
    invoice = _owed(ledger, customer)
    collection.mark_paid(ledger, invoice, out_of_band=True)
    return invoice


def void(ledger: Ledger, customer: str) -> Doc:
    """The operator takes back what the customer owes. Returns the invoice."""
    invoice = _owed(ledger, customer)
    invoicing.void(ledger, invoice)
    return invoice


def cancel(ledger: Ledger, customer: str) -> Doc:
    """The customer cancels at once. Returns the subscription."""
    running = [
        entry for entry in ledger.linked("subscription", "customer", customer) if entry["status"] not in standing.ENDED
    ]
    if not running:
        raise wrong_state("This customer has no subscription that could be cancelled.")
    standing.end(ledger, running[-1], "cancellation_requested")
    return running[-1]


def dispute(ledger: Ledger, customer: str) -> Doc:
    """The cardholder calls their latest payment a fraud. Returns the dispute."""
    for charge in reversed(ledger.linked("charge", "customer", customer, "succeeded")):
        if not charge["disputed"] and not charge["refunded"]:
            return reversals.dispute(ledger, charge, "fraudulent")
    raise wrong_state("This customer has no payment that could be disputed.")


def lose_dispute(ledger: Ledger, customer: str) -> Doc:
    """The bank sides with the cardholder. Returns the dispute."""
    return reversals.close_dispute(ledger, _disputed(ledger, customer), "lost")


def win_dispute(ledger: Ledger, customer: str) -> Doc:
    """The bank sides with the merchant. Returns the dispute."""
    return reversals.close_dispute(ledger, _disputed(ledger, customer), "won")


def update_card(ledger: Ledger, customer: str) -> Doc:
    """The card network gives the customer's card a new number and date, which works."""
    return new_card(ledger, customer, {"by": "updater"})


def replace_card(ledger: Ledger, customer: str) -> Doc:
    """The operator enters another card for the customer, on their subscriptions too; nothing is charged."""
    return new_card(ledger, customer, {"by": "operator", "card": "pm_card_visa", "on_subscriptions": True})


def _owed(ledger: Ledger, customer: str) -> Doc:
    """What they owe longest."""
    owed = ledger.linked("invoice", "customer", customer, "open")
    if not owed:
        raise wrong_state("This customer owes nothing.")
    return owed[0]


def _disputed(ledger: Ledger, customer: str) -> Doc:
    for charge in reversed(ledger.linked("charge", "customer", customer, "succeeded")):
        for raised in ledger.linked("dispute", "payment_intent", charge["payment_intent"]):
            if raised["status"] not in ("won", "lost", "warning_closed"):
                return raised
    raise wrong_state("This customer disputes nothing.")


def latest_charge(ledger: Ledger, invoice: Doc) -> Doc | None:
    """The last charge made for an invoice, or None."""
    intent = payments.intent_of(ledger, invoice)
    return ledger.find("charge", intent["latest_charge"] if intent else None)
