"""Which secrets are good for a connection, remembered for some seconds so that a webhook costs one statement."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.accounts.connections import webhook_secrets
from app.context import Context
from app.models import Connection
from app.vocabulary import ConnectionStatus

REMEMBER = timedelta(seconds=10)


@dataclass(frozen=True)
class Door:
    """What the receiver needs to know of a connection."""

    organization_id: UUID
    connection_id: UUID
    account_id: str
    livemode: bool
    secrets: tuple[str, ...]
    read_at: datetime


class Doors:
    """Connections as the receiver last read them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[UUID, Door] = {}

    def find(self, connection_id: UUID, now: datetime, fresher_than: timedelta = REMEMBER) -> Door | None:
        """The connection, read no longer ago than `fresher_than`; None where there is none to receive for."""
        known = self._known.get(connection_id)
        if known and timedelta(0) <= now - known.read_at <= fresher_than:
            return known
        door = self._read(connection_id, now)
        if door is None:
            self._known.pop(connection_id, None)
        else:
            self._known[connection_id] = door
        return door

    def _read(self, connection_id: UUID, now: datetime) -> Door | None:
        with self._context.database.system() as session:
            row = session.get(Connection, connection_id)
        if row is None or row.status is ConnectionStatus.DISCONNECTED:
            return None
        return Door(
            organization_id=row.organization_id,
            connection_id=row.id,
            account_id=row.account_id,
            livemode=row.livemode,
            secrets=tuple(webhook_secrets(self._context, row)),
            read_at=now,
        )
