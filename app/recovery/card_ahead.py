"""A card that was given before anything failed: put in force for what is charged next. Nothing is charged for it.

It is saved on Stripe's page, to which a notice's own page led; the webhook of a closed tab and the way back both come
here, and doing it again changes nothing.
"""

from collections.abc import Mapping

from app.context import Context
from app.links import MailLink
from app.models import Connection
from app.recovery.projections import note_subscription, write_customer, write_payment_method
from app.stripe_gateway.gateway import StripeGateway

_MARK = "recoup_notice"


def mark(link: MailLink) -> dict[str, str]:
    """What the session at Stripe carries, so that its event leads back here."""
    return {_MARK: str(link.message_id), "recoup_organization": str(link.organization_id)}


def is_ours(metadata: Mapping[str, str]) -> bool:
    """Whether a card was saved on a page that a notice led to."""
    return bool(metadata.get(_MARK))


def put_in_force(
    context: Context, gateway: StripeGateway, connection: Connection, customer_id: str, payment_method_id: str
) -> None:
    """Make a saved card the one that the customer's subscriptions charge; raises `GatewayError`."""
    gateway.set_default_payment_method(customer_id, payment_method_id)
    now = context.clock.now()
    customer = gateway.get_customer(customer_id)
    method = gateway.get_payment_method(payment_method_id)
    subscriptions = gateway.list_subscriptions(customer_id)
    with context.database.organization(connection.organization_id) as session:
        row = session.get_one(Connection, connection.id)
        write_customer(session, row, customer, now)
        write_payment_method(session, row, method, now)
        for subscription in subscriptions:
            note_subscription(session, row, subscription, now)
