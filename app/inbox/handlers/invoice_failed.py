"""A payment failed, or the bank wants the payer's approval: the beginning of a case, or its next chapter."""

from app.inbox.handlers.arrival import Arrival

TYPES = ("invoice.payment_failed", "invoice.payment_action_required")


def handle(arrival: Arrival) -> str:
    """Read the invoice and open or move its case."""
    if not arrival.event.object_id:
        return "the event names no invoice"
    return arrival.observe(arrival.event.object_id, failed=True)
