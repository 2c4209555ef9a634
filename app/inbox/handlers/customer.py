"""News of a customer: address, default card, deletion. Copied, and their open cases are looked at again."""

from app.inbox.handlers.arrival import Arrival
from app.inbox.handlers.looking_up import find_customer_row, observe_each, unpaid_invoices_of_customer
from app.models import Connection
from app.recovery.projections import write_customer

TYPES = ("customer.updated", "customer.deleted")


def handle(arrival: Arrival) -> str:
    """Refresh a customer that Recoup follows."""
    customer_id = arrival.event.object_id
    if not customer_id or find_customer_row(arrival, customer_id) is None:
        return "a customer without any case"
    now = arrival.context.clock.now()
    snapshot = arrival.gateway.get_customer(customer_id)
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        write_customer(session, session.get_one(Connection, arrival.connection.id), snapshot, now)
    return observe_each(arrival, unpaid_invoices_of_customer(arrival, customer_id))
