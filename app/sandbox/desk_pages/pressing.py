"""What can be pressed on a customer's page, and whether it asks first."""

from collections.abc import Callable
from dataclasses import dataclass

from app.sandbox import deeds, issuer
from app.sandbox.cards import APPROVE
from app.sandbox.failing import fail_now
from app.sandbox.ledger import Ledger
from app.sandbox.people import mailroom
from app.sandbox.store import Doc

# What a renewal may be made to fail with, in words.
FAILURES = {
    "insufficient_funds": "no funds",
    "do_not_honor": "declined without a reason",
    "expired_card": "expired card",
    "lost_card": "lost card",
    "card_velocity_exceeded": "limit reached",
    "processing_error": "technical error",
    "requires_action": "bank wants approval",
}


@dataclass(frozen=True)
class Press:
    """A button: its words, what it says when done, and what it asks first if it cannot be taken back."""

    words: str
    done: str
    act: Callable[[Ledger, str], Doc]
    asks: str | None = None


def approve_from_now_on(ledger: Ledger, customer: str) -> Doc:
    """Their card works again, whatever it answered before."""
    for method in ledger.linked("payment_method", "customer", customer):
        issuer.set_script(ledger, method["id"], [APPROVE])
    return ledger.get("customer", customer)


def fail(ledger: Ledger, customer: str, subscription: str | None, code: str, *, then_approves: bool) -> Doc:
    """The next renewal happens now and fails with `code`; later tries are approved if so wished."""
    return fail_now(ledger, customer, [code, APPROVE] if then_approves else [code], subscription)


def read_mail(ledger: Ledger, customer: str) -> Doc:
    """They read what comes to their address, and answer to it or not."""
    mailroom.begin_reading(ledger, customer)
    return ledger.get("customer", customer)


PRESSES = {
    "reads": Press("Customer reads their mail", "They read their mail from now on.", read_mail),
    "works": Press("Card works again", "The card works from now on.", approve_from_now_on),
    "updater": Press(
        "Network sends a new number", "The card has a new number and date, which work.", deeds.update_card
    ),
    "operator": Press(
        "Operator enters another card", "Another card is in force; nothing was charged.", deeds.replace_card
    ),
    "elsewhere": Press(
        "Pays by other means",
        "What was owed is marked as paid outside of Stripe.",
        deeds.pay_elsewhere,
        asks="Mark what this customer owes as paid outside of Stripe?",
    ),
    "void": Press(
        "Operator voids the invoice",
        "The invoice was taken back.",
        deeds.void,
        asks="Take back what this customer owes? It can never be collected again.",
    ),
    "cancel": Press(
        "Customer cancels",
        "The subscription has ended.",
        deeds.cancel,
        asks="End this customer's subscription at once?",
    ),
    "dispute": Press(
        "Cardholder disputes",
        "The latest payment is disputed.",
        deeds.dispute,
        asks="Dispute the latest payment of this customer as a fraud?",
    ),
    "won": Press("Bank decides for the merchant", "The dispute was won.", deeds.win_dispute),
    "lost": Press(
        "Bank decides for the cardholder",
        "The dispute was lost.",
        deeds.lose_dispute,
        asks="Let the merchant lose this dispute?",
    ),
}
