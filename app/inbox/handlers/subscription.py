"""News of a subscription: status, price, cancellation. Copied, and its open cases are looked at again.

Everybody who is subscribed is known, or no segment could be tried on today's customers; but only where something has
failed is Stripe asked for more than the event brought.
"""

from app.inbox.handlers.arrival import Arrival
from app.inbox.handlers.looking_up import (
    find_customer,
    has_case_of_subscription,
    observe_each,
    unpaid_invoices_of_subscription,
)
from app.recovery.projections import note_subscription, write_customer, write_subscription
from app.stripe_gateway.readers import TERMINAL_STATUSES, read_subscription

TYPES = (
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.past_due",
    "customer.subscription.default_payment_method_changed",
)


def handle(arrival: Arrival) -> str:
    """Refresh a subscription that has or had a case; copy any other from the event."""
    subscription_id = arrival.event.object_id
    if not subscription_id:
        return "the event names no subscription"
    if not has_case_of_subscription(arrival, subscription_id):
        return _note(arrival)
    now = arrival.context.clock.now()
    snapshot = arrival.gateway.get_subscription(subscription_id)
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        write_subscription(session, arrival.connection, snapshot, now)
    return observe_each(arrival, unpaid_invoices_of_subscription(arrival, subscription_id))


def _note(arrival: Arrival) -> str:
    """Copy what the event carried, and the customer of a new subscription."""
    customer_id = arrival.carried_id("customer")
    if not arrival.is_snapshot or customer_id is None:
        return "a subscription without any case; nothing to read"
    snapshot, created = read_subscription(arrival.carried), arrival.event.created_at
    is_over = snapshot.status in TERMINAL_STATUSES
    is_new = not is_over and find_customer(arrival, customer_id) is None
    customer, now = (arrival.gateway.get_customer(customer_id) if is_new else None), arrival.context.clock.now()
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        if customer is not None:
            write_customer(session, arrival.connection, customer, now)
        write = note_subscription if is_over else write_subscription
        write(session, arrival.connection, snapshot, created)
    return "noted; no case"
