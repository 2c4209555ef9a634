"""One payment of an invoice settled (basil and later): the invoice it names may be paid."""

from app.inbox.handlers.arrival import Arrival
from app.inbox.handlers.looking_up import has_case

TYPES = ("invoice_payment.paid",)


def handle(arrival: Arrival) -> str:
    """Read the invoice again if it has a case."""
    invoice_id = arrival.carried_id("invoice")
    if invoice_id is None or not has_case(arrival, invoice_id):
        return "no case"
    return arrival.observe(invoice_id)
