"""An event that has arrived, with what its handler needs. The event is a hint; handlers read Stripe for the truth."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, select

from app.context import Context
from app.db import prepared
from app.models import Connection, InboxEvent, Invoice, RecoveryCase
from app.recovery.observing import Hint, observe_invoice
from app.stripe_gateway.gateway import StripeGateway
from app.vocabulary import EventKind

KNOWN = "known; read since it arrived"


@dataclass(frozen=True)
class Arrival:
    """`body` is the whole event as it came, of whatever API version."""

    context: Context
    gateway: StripeGateway
    connection: Connection
    event: InboxEvent
    body: dict[str, Any]

    @property
    def is_snapshot(self) -> bool:
        """Whether the event carries its object (thin events only name it)."""
        return self.event.kind is EventKind.SNAPSHOT

    @property
    def carried(self) -> dict[str, Any]:
        """The object as it was when the event was made; empty for a thin event."""
        data = self.body.get("data")
        inside = data.get("object") if isinstance(data, dict) else None
        return inside if isinstance(inside, dict) else {}

    def carried_id(self, field: str) -> str | None:
        """The id in one field of the carried object, whether expanded or not."""
        value = self.carried.get(field)
        if isinstance(value, dict):
            value = value.get("id")
        return value if isinstance(value, str) else None

    def observe(self, invoice_id: str, *, failed: bool = False) -> str:
        """Read an invoice and apply what is found; what came of it, for the inbox's list.

        One happening at Stripe brings a dozen events. A reading that was begun after an event had arrived knows all
        that the event could tell, so only the first of them costs reads (Stripe allows 25 a second). That a payment
        failed is told by nothing else where charges cannot be read; it is known all the same once a case is there.
        """
        standing = self._standing(invoice_id)
        if standing is not None and standing.is_read and (standing.has_case or not failed):
            return KNOWN
        return self._read(invoice_id, failed=failed)

    def observe_case(self, invoice_id: str) -> str | None:
        """The same for news that says nothing of an invoice without a case; None where it has none."""
        standing = self._standing(invoice_id)
        if standing is None or not standing.has_case:
            return None
        return KNOWN if standing.is_read else self._read(invoice_id)

    def _read(self, invoice_id: str, *, failed: bool = False) -> str:
        hint = Hint(failed=failed, at=min(self.event.created_at, self.context.clock.now()))
        case_id = observe_invoice(self.context, self.gateway, self.connection, invoice_id, hint)
        return f"case {case_id}" if case_id else "read; no case follows"

    def _standing(self, invoice_id: str) -> "_Standing | None":
        with self.context.database.organization(self.connection.organization_id) as session:
            row = session.execute(*_look_up(self.connection.id, invoice_id)).one_or_none()
        return _Standing(row.refreshed_at > self.event.received_at, row.has_case) if row else None


@dataclass(frozen=True)
class _Standing:
    """What is known of an invoice: whether it was read since an event arrived, and whether it has a case."""

    is_read: bool
    has_case: bool


@prepared
def _look_up(connection_id: UUID, invoice_id: str) -> Select[datetime, bool]:
    has_case = exists().where(RecoveryCase.invoice_id == Invoice.id).label("has_case")
    found = select(Invoice.refreshed_at, has_case)
    return found.where(Invoice.connection_id == connection_id, Invoice.stripe_id == invoice_id)
