"""Invoices that are sent and not charged: what happens ahead of their due date, at it, and after it.

Source: the subscription's `status` in Stripe's OpenAPI document (past due when the invoice is not paid by its due date,
canceled or unpaid after an additional deadline). `invoice.will_be_due` and `invoice.overdue` are announced only where
the account has billing automations for them.
"""

from app.sandbox import policy
from app.sandbox.billing import standing
from app.sandbox.billing.payments import subscription_of
from app.sandbox.ledger import Ledger
from app.sandbox.policy import DAY
from app.sandbox.store import Doc


def expect(ledger: Ledger, invoice: Doc) -> None:
    """An open invoice has a due date: wait for it."""
    settings = policy.load(ledger)
    ahead = invoice["due_date"] - settings.will_be_due_days * DAY
    ledger.set_timer("will_be_due", invoice["id"], ahead if ahead > ledger.now else None)
    ledger.set_timer("due", invoice["id"], max(invoice["due_date"], ledger.now))


def announce(ledger: Ledger, invoice: Doc) -> None:
    """The due date is near."""
    if invoice["status"] == "open" and policy.load(ledger).billing_automations:
        ledger.emit("invoice.will_be_due", invoice)


def pass_by(ledger: Ledger, invoice: Doc) -> None:
    """The due date has come and the invoice is not paid."""
    if invoice["status"] != "open":
        return
    settings = policy.load(ledger)
    standing.fall_behind(ledger, invoice)
    if settings.billing_automations:
        ledger.emit("invoice.overdue", invoice)
    if subscription_of(invoice) is not None:
        ledger.set_timer("deadline", invoice["id"], ledger.now + settings.overdue_end_days * DAY)


def give_up(ledger: Ledger, invoice: Doc) -> None:
    """The additional deadline has come too."""
    if invoice["status"] == "open":
        standing.give_up(ledger, invoice, policy.load(ledger).overdue_end)
