"""News of a customer: address, default card, deletion. Copied, and their open cases are looked at again."""

from datetime import timedelta

from app.inbox.handlers.arrival import Arrival
from app.inbox.handlers.looking_up import (
    find_customer,
    has_case_of_customer,
    observe_each,
    unpaid_invoices_of_customer,
)
from app.recovery.projections import write_customer
from app.stripe_gateway.readers import read_customer

A_SECOND = timedelta(seconds=1)
DELETED = "customer.deleted"
TYPES = ("customer.updated", DELETED)


def handle(arrival: Arrival) -> str:
    """Refresh a customer whom Recoup knows; Stripe is asked where a payment of theirs has failed."""
    customer_id = arrival.event.object_id
    known = find_customer(arrival, customer_id) if customer_id else None
    if not customer_id or known is None:
        return "a customer without a subscription or a case"
    # events count in whole seconds: which is newer of one and a reading of its second, Stripe alone can tell
    is_doubtful = arrival.event.created_at <= known.read_at < arrival.event.created_at + A_SECOND
    # what is carried of a deleted customer does not say that they are
    is_carried = arrival.is_snapshot and arrival.event.type != DELETED and not is_doubtful
    if is_carried and not has_case_of_customer(arrival, customer_id):
        snapshot, read_at = read_customer(arrival.carried), arrival.event.created_at
    else:
        read_at = arrival.context.clock.now()
        snapshot = arrival.gateway.get_customer(customer_id)
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        write_customer(session, arrival.connection, snapshot, read_at)
    return observe_each(arrival, unpaid_invoices_of_customer(arrival, customer_id))
