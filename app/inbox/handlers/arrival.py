"""An event that has arrived, with what its handler needs. The event is a hint; handlers read Stripe for the truth."""

from dataclasses import dataclass
from typing import Any

from app.context import Context
from app.models import Connection, InboxEvent
from app.recovery.cases import find_case_of_invoice
from app.recovery.observing import Hint, observe_invoice
from app.recovery.projections import find_invoice
from app.stripe_gateway.gateway import StripeGateway
from app.vocabulary import EventKind


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
        if self._is_read_since(invoice_id, with_case=failed):
            return "known; read since it arrived"
        hint = Hint(failed=failed, at=min(self.event.created_at, self.context.clock.now()))
        case_id = observe_invoice(self.context, self.gateway, self.connection, invoice_id, hint)
        return f"case {case_id}" if case_id else "read; no case follows"

    def _is_read_since(self, invoice_id: str, *, with_case: bool) -> bool:
        with self.context.database.organization(self.connection.organization_id) as session:
            invoice = find_invoice(session, self.connection.id, invoice_id)
            if invoice is None or invoice.refreshed_at <= self.event.received_at:
                return False
            return not with_case or find_case_of_invoice(session, invoice.id) is not None
