"""The operator took our access away at Stripe: stop everything on this connection."""

from app.inbox.handlers.arrival import Arrival
from app.models import Connection
from app.vocabulary import ConnectionStatus

TYPES = ("account.application.deauthorized",)


def handle(arrival: Arrival) -> str:
    """Mark the connection as gone."""
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        connection = session.get_one(Connection, arrival.connection.id)
        connection.status = ConnectionStatus.DISCONNECTED
        connection.status_reason = "The account was disconnected at Stripe; connect it again to go on."
    return "disconnected"
