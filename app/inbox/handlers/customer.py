"""News of a customer: address, default card, deletion. Copied, and their open cases are looked at again."""

from app.inbox.handlers.arrival import Arrival
from app.inbox.handlers.looking_up import (
    find_customer_row,
    has_case_of_customer,
    observe_each,
    unpaid_invoices_of_customer,
)
from app.recovery.projections import write_customer
from app.stripe_gateway.readers import read_customer

DELETED = "customer.deleted"
TYPES = ("customer.updated", DELETED)


def handle(arrival: Arrival) -> str:
    """Refresh a customer whom Recoup knows; Stripe is asked where a payment of theirs has failed."""
    customer_id = arrival.event.object_id
    if not customer_id or find_customer_row(arrival, customer_id) is None:
        return "a customer without a subscription or a case"
    # what is carried of a deleted customer does not say that they are
    is_carried = arrival.is_snapshot and arrival.event.type != DELETED
    if is_carried and not has_case_of_customer(arrival, customer_id):
        snapshot, read_at = read_customer(arrival.carried), arrival.event.created_at
    else:
        read_at = arrival.context.clock.now()
        snapshot = arrival.gateway.get_customer(customer_id)
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        write_customer(session, arrival.connection, snapshot, read_at)
    return observe_each(arrival, unpaid_invoices_of_customer(arrival, customer_id))
