"""Other news of an invoice. With a case it is read again; without one it is copied from the event, with no call.

That Stripe mailed an invoice to its customer is remembered: it counts among the mails they get.
"""

from app.inbox.handlers.arrival import Arrival
from app.recovery.projections import StaleReading, note_invoice_event, note_mailed
from app.stripe_gateway.readers import read_invoice

SENT = "invoice.sent"
TYPES = (
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.updated",
    "invoice.finalized",
    SENT,
    "invoice.voided",
    "invoice.marked_uncollectible",
    "invoice.overdue",
    "invoice.will_be_due",
    "invoice.overpaid",
)


def handle(arrival: Arrival) -> str:
    """Move the invoice's case, or note the invoice."""
    invoice_id = arrival.event.object_id
    if not invoice_id:
        return "the event names no invoice"
    _note_mail(arrival, invoice_id)
    outcome = arrival.observe_case(invoice_id)
    if outcome is not None:
        return outcome
    if not arrival.is_snapshot:
        return "no case; nothing to read"
    snapshot = read_invoice(arrival.carried)
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        try:
            note_invoice_event(session, arrival.connection, snapshot, arrival.event.created_at)
        except StaleReading:
            return "older than what is known"
    _note_mail(arrival, invoice_id)
    return "noted; no case"


def _note_mail(arrival: Arrival, invoice_id: str) -> None:
    if arrival.event.type != SENT:
        return
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        note_mailed(session, arrival.connection, invoice_id, arrival.event.created_at)
