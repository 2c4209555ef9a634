"""One payment of an invoice settled (basil and later): the invoice it names may be paid."""

from app.inbox.handlers.arrival import Arrival

TYPES = ("invoice_payment.paid",)


def handle(arrival: Arrival) -> str:
    """Read the invoice again if it has a case."""
    invoice_id = arrival.carried_id("invoice")
    outcome = arrival.observe_case(invoice_id) if invoice_id else None
    return outcome or "no case"
