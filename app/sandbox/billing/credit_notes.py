"""Credit notes: less is owed on an open invoice, or money of a paid one goes back.

Source: Stripe's documentation of credit notes. Before payment a note lowers what is due, and an invoice of which
nothing is left is paid; after payment its amount is split into a refund, credit on the balance, and what was given back
outside Stripe.
"""

from dataclasses import dataclass

from app.sandbox.billing import balances, collection, payments, reversals
from app.sandbox.errors import StripeRefusal, bad_param, wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.shapes.credit_note import new_credit_note
from app.sandbox.store import Doc


@dataclass(frozen=True)
class Split:
    """How the amount of a note on a paid invoice goes back, in minor units."""

    refund: int = 0
    credit: int = 0
    out_of_band: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.refund + self.credit + self.out_of_band


def issue(ledger: Ledger, invoice: Doc, amount: int, split: Split, texts: Doc) -> Doc:
    """A note over `amount`; `texts` are its memo, reason and metadata. Raises when there is not so much to credit."""
    paid = invoice["status"] == "paid"
    _check(invoice, amount, split, paid)
    number = f"{invoice['number']}-CN-{len(ledger.linked('credit_note', 'invoice', invoice['id'])) + 1:02d}"
    note = ledger.save(new_credit_note(invoice, amount, number, ledger.now, **texts))
    with ledger.changing(note):
        if paid:
            _give_back(ledger, invoice, note, split)
        else:
            note.update(type="pre_payment", pre_payment_amount=amount)
            _lower(ledger, invoice, amount)
    ledger.emit("credit_note.created", note)
    if not paid and invoice["amount_remaining"] == 0:
        collection.settle_by_credit(ledger, invoice)
    return note


def void(ledger: Ledger, note: Doc) -> Doc:
    """Take back a note on an invoice that is still open."""
    invoice = ledger.get("invoice", note["invoice"])
    if note["status"] == "void":
        raise wrong_state("This credit note has already been voided.")
    if invoice["status"] != "open":
        raise wrong_state("You can only void a credit note if its invoice is open.")
    _lower(ledger, invoice, -note["amount"])
    with ledger.changing(note):
        note.update(status="void", voided_at=ledger.now)
    ledger.emit("credit_note.voided", note)
    return note


def _check(invoice: Doc, amount: int, split: Split, paid: bool) -> None:
    if invoice["status"] not in ("open", "paid"):
        raise wrong_state(f"You cannot create a credit note for an invoice in the `{invoice['status']}` status.")
    left = invoice["amount_paid"] - invoice["post_payment_credit_notes_amount"] if paid else invoice["amount_remaining"]
    if not 0 < amount <= left:
        raise StripeRefusal(
            400, f"A credit note on this invoice can be of at most {left}; {amount} was asked for.", param="amount"
        )
    if split.total != (amount if paid else 0) or min(split.refund, split.credit, split.out_of_band) < 0:
        raise bad_param(
            "refund_amount",
            f"The sum of refund_amount, credit_amount and out_of_band_amount is {split.total}; on a paid invoice it"
            " must equal the credit note's amount, and on an open one there is nothing to give back.",
        )


def _lower(ledger: Ledger, invoice: Doc, less: int) -> None:
    """Lower what an open invoice asks for, on its PaymentIntent too."""
    with ledger.changing(invoice, "invoice.updated"):
        invoice["pre_payment_credit_notes_amount"] += less
        invoice["amount_due"] -= less
        invoice["amount_remaining"] -= less
    intent, record = payments.intent_of(ledger, invoice), payments.payment_of(ledger, invoice)
    if intent is not None and record is not None and invoice["amount_due"]:
        with ledger.changing(intent), ledger.changing(record):
            intent["amount"] = record["amount_requested"] = invoice["amount_due"]


def _give_back(ledger: Ledger, invoice: Doc, note: Doc, split: Split) -> None:
    note.update(type="post_payment", post_payment_amount=note["amount"], out_of_band_amount=split.out_of_band or None)
    if split.refund:
        intent = payments.intent_of(ledger, invoice)
        charge = ledger.find("charge", intent["latest_charge"] if intent else None)
        if charge is None:
            raise bad_param("refund_amount", "This invoice was paid without a charge that could be refunded.")
        made = reversals.refund(ledger, charge, split.refund, None, {})
        note["refunds"] = [{"amount_refunded": split.refund, "refund": made["id"], "type": "refund"}]
    if split.credit:
        customer = ledger.get("customer", invoice["customer"])
        names = {"invoice": invoice["id"], "credit_note": note["id"]}
        with ledger.changing(customer, "customer.updated"):
            entry = balances.change(ledger, customer, -split.credit, "credit_note", invoice["currency"], **names)
        note["customer_balance_transaction"] = entry["id"]
    with ledger.changing(invoice, "invoice.updated"):
        invoice["post_payment_credit_notes_amount"] += note["amount"]
