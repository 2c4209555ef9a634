"""Charges and payment intents. They no longer name their invoice, so only payments Recoup has seen lead to a case."""

from app.inbox.handlers.arrival import Arrival
from app.inbox.handlers.looking_up import invoice_of_payment

TYPES = (
    "charge.failed",
    "charge.refunded",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
)


def handle(arrival: Arrival) -> str:
    """Read the invoice behind the payment again; `invoice.payment_failed` brings those not known yet."""
    is_charge = arrival.event.type.startswith("charge.")
    charge_id = arrival.event.object_id if is_charge else arrival.carried_id("latest_charge")
    intent_id = arrival.carried_id("payment_intent") if is_charge else arrival.event.object_id
    invoice_id = invoice_of_payment(arrival, charge_id=charge_id, payment_intent_id=intent_id)
    outcome = arrival.observe_case(invoice_id) if invoice_id else None
    return outcome or "no case"
