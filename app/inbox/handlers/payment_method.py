"""A card was saved, renewed by its bank, or removed: perhaps a new chance for what is open."""

from app.inbox.handlers.arrival import Arrival
from app.inbox.handlers.looking_up import observe_each, unpaid_invoices_of_customer
from app.recovery.card_change import note_renewed_card
from app.recovery.projections import note_payment_method
from app.stripe_gateway.errors import NotFound
from app.stripe_gateway.readers import read_payment_method

RENEWED = (
    "payment_method.automatically_updated",
    "payment_method.card_automatically_updated",
    "payment_method.updated",
)
TYPES = (*RENEWED, "payment_method.attached", "payment_method.detached")


def handle(arrival: Arrival) -> str:
    """Look at the customer's open cases again, with a renewed card counted as a new one."""
    customer_id = arrival.carried_id("customer") or _customer_of(arrival)
    if customer_id is None:
        return "a card of nobody"
    _note(arrival)
    invoices = unpaid_invoices_of_customer(arrival, customer_id)
    if invoices and arrival.event.type in RENEWED and arrival.event.object_id:
        note_renewed_card(arrival.context, arrival.gateway, arrival.connection, arrival.event.object_id)
    return observe_each(arrival, invoices)


def _note(arrival: Arrival) -> None:
    if not arrival.is_snapshot or not arrival.carried:
        return
    snapshot, at = read_payment_method(arrival.carried), arrival.event.created_at
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        note_payment_method(session, arrival.connection, snapshot, at)


def _customer_of(arrival: Arrival) -> str | None:
    """A thin event names the card only; a detached card has no customer any more."""
    if arrival.is_snapshot or not arrival.event.object_id:
        return None
    try:
        return arrival.gateway.get_payment_method(arrival.event.object_id).customer_id
    except NotFound:
        return None
