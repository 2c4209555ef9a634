"""A card that was given before anything failed: put in force for what is charged next. Nothing is charged for it.

It is saved on Stripe's page, to which a notice's own page led; the webhook of a closed tab and the way back both come
here, and doing it again changes nothing.
"""

from collections.abc import Mapping

from app.context import Context
from app.links import MailLink
from app.models import Connection
from app.recovery.projections import note_subscription, write_customer, write_payment_method
from app.stripe_gateway.errors import LACKING
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.snapshots import PaymentMethodSnapshot

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
    """Make a saved card the one that the customer's subscriptions charge, unless they have given a newer one since;
    raises `GatewayError`.
    """
    method = gateway.get_payment_method(payment_method_id)
    if is_outdated(gateway, customer_id, method):
        return
    gateway.set_default_payment_method(customer_id, payment_method_id)
    now = context.clock.now()
    customer = gateway.get_customer(customer_id)
    subscriptions = gateway.list_subscriptions(customer_id)
    with context.database.organization(connection.organization_id) as session:
        row = session.get_one(Connection, connection.id)
        write_customer(session, row, customer, now)
        write_payment_method(session, row, method, now)
        for subscription in subscriptions:
            note_subscription(session, row, subscription, now)


def is_outdated(gateway: StripeGateway, customer_id: str, method: PaymentMethodSnapshot) -> bool:
    """Whether the customer's card in force was saved after `method`: news of an older one, come late or repeated, must
    not bring that back. Raises `GatewayError`.
    """
    in_force = gateway.get_customer(customer_id).default_payment_method_id
    if in_force in (None, method.id) or method.created is None:
        return False
    try:
        standing = gateway.get_payment_method(in_force)
    except LACKING:
        return False
    return standing.created is not None and standing.created > method.created
