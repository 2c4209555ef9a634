"""An application lost its access to the account. If that was ours, stop everything on this connection."""

from app.inbox.handlers.arrival import Arrival
from app.models import Connection
from app.stripe_gateway.errors import PermissionMissing, Unauthorized
from app.vocabulary import ConnectionStatus

TYPES = ("account.application.deauthorized",)


def handle(arrival: Arrival) -> str:
    """Mark the connection as gone if Stripe does not take its key any more: other applications are not our business."""
    try:
        arrival.gateway.get_account()
    except Unauthorized:
        with arrival.context.database.organization(arrival.connection.organization_id) as session:
            connection = session.get_one(Connection, arrival.connection.id)
            connection.status = ConnectionStatus.DISCONNECTED
            connection.status_reason = "The account was disconnected at Stripe; connect it again to go on."
        return "disconnected"
    except PermissionMissing:
        return "another application; our key still opens the account"
    return "another application; our key is still good"
