"""News of a subscription: status, price, cancellation. Copied, and its open cases are looked at again."""

from app.inbox.handlers.arrival import Arrival
from app.inbox.handlers.looking_up import knows_subscription, observe_each, unpaid_invoices_of_subscription
from app.models import Connection
from app.recovery.projections import write_subscription

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
    """Refresh a subscription that Recoup follows; others are of no interest until a payment of theirs fails."""
    subscription_id = arrival.event.object_id
    if not subscription_id or not knows_subscription(arrival, subscription_id):
        return "a subscription without any case"
    now = arrival.context.clock.now()
    snapshot = arrival.gateway.get_subscription(subscription_id)
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        write_subscription(session, session.get_one(Connection, arrival.connection.id), snapshot, now)
    return observe_each(arrival, unpaid_invoices_of_subscription(arrival, subscription_id))
