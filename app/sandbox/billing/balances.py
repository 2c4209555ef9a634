"""The customer's credit balance: what an invoice takes from it, leaves on it, or gives back.

A negative balance is credit, a positive one is owed with the next invoice. Amounts are minor units. Source: Stripe's
documentation of the customer balance, and a recorded run in which an amount below the minimum settled as paid and went
onto the balance.
"""

from typing import Any

from app.money import exponent
from app.sandbox import ids
from app.sandbox.ledger import Ledger
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


def minimum_charge(currency: str) -> int:
    """The least that is worth a charge, in minor units: about half a dollar.

    Approximate for currencies that Stripe's table of minimums names and this one does not.
    """
    return _MINIMUM.get(currency, 500 if exponent(currency) == 3 else 50)


def change(ledger: Ledger, customer: Doc, amount: int, kind: str, currency: str, **fields: Any) -> Doc:
    """Move the balance by `amount` and write down why. The caller saves the customer."""
    customer["balance"] += amount
    return ledger.save(
        {
            "id": ids.new("cbtxn"),
            "object": "customer_balance_transaction",
            "amount": amount,
            "checkout_session": None,
            "created": ledger.now,
            "credit_note": None,
            "currency": currency,
            "customer": customer["id"],
            "customer_account": None,
            "description": None,
            "ending_balance": customer["balance"],
            "invoice": None,
            "livemode": False,
            "metadata": {},
            "type": kind,
            **fields,
        }
    )


def due_after(invoice: Doc, customer: Doc) -> tuple[int, int]:
    """What an invoice asks for once the balance has been applied, and the balance afterwards.

    A balance is in the customer's own currency and pays no invoice in another.
    """
    balance = _applicable(invoice, customer)
    owed = invoice["total"] + balance
    return (0, owed) if owed < minimum_charge(invoice["currency"]) else (owed, 0)


def apply(ledger: Ledger, invoice: Doc, customer: Doc) -> None:
    """Finalizing: credit pays first, and what is too little to charge goes onto the balance."""
    balance = _applicable(invoice, customer)
    due, rest = due_after(invoice, customer)
    invoice.update(starting_balance=balance, ending_balance=rest, amount_due=due, amount_remaining=due)
    if rest != balance:
        kind = "invoice_too_small" if rest > 0 else "applied_to_invoice"
        change(ledger, customer, rest - balance, kind, invoice["currency"], invoice=invoice["id"])


def give_back(ledger: Ledger, invoice: Doc) -> None:
    """A voided invoice returns what it took from the balance."""
    taken = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    customer = ledger.get("customer", invoice["customer"])
    if taken and not customer.get("deleted"):
        with ledger.changing(customer, "customer.updated"):
            change(ledger, customer, -taken, "unapplied_from_invoice", invoice["currency"], invoice=invoice["id"])


def _applicable(invoice: Doc, customer: Doc) -> int:
    balance: int = customer["balance"] if customer["currency"] in (None, invoice["currency"]) else 0
    return balance
