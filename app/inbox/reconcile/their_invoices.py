"""Open invoices at Stripe held against ours, a page at a time: failed ones without a case, and those that changed.

A debt from before the connection is not news: it becomes a case when the operator says so (`recoup backfill`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from app.inbox.errands.walk import Found, Walk
from app.inbox.reconcile.repairing import repair_pending
from app.models import InboxEvent, Invoice, RecoveryCase
from app.recovery.observing import is_lapsed
from app.stripe_gateway.errors import LACKING
from app.stripe_gateway.snapshots import ChargeSnapshot, InvoiceSnapshot
from app.vocabulary import OPEN_CASE_STATES, CaseState, FindingKind, InboxState

BEFORE_THE_FIRST_TRY = timedelta(days=3)  # an invoice may be that old when it is charged for the first time
UNPAID = (*OPEN_CASE_STATES, CaseState.EXHAUSTED)


@dataclass(frozen=True)
class Known:
    """Our copy of one invoice, and its case."""

    invoice: Invoice
    case_id: UUID | None
    case_state: CaseState | None


def look(walk: Walk) -> bool:
    """Compare one page of Stripe's open invoices."""
    place = walk.place("invoices")
    repair_pending(walk)
    since = place.setdefault("since", _oldest(walk).isoformat())
    read_at = walk.context.clock.now()
    try:
        page = walk.gateway.invoices_page(
            created_after=datetime.fromisoformat(since), cursor=place.get("cursor"), open_only=True
        )
    except LACKING:
        walk.note("This server does not list invoices; those of open cases were read one by one.")
        walk.commit()
        return True
    found = compare(walk, page.rows, read_at)
    walk.see(found)
    seen = [invoice.id for invoice in page.rows]
    if walk.is_rehearsal:
        place.setdefault("seen", []).extend(seen)
    walk.commit(lambda session: _write(walk, session, found, seen, read_at))
    repair_pending(walk)
    place["cursor"] = page.cursor
    walk.count("invoices", len(page.rows))
    walk.commit()
    return page.cursor is None


def compare(walk: Walk, listed: tuple[InvoiceSnapshot, ...], read_at: datetime) -> list[Found]:
    """What is not here as it is there. News that waits in the inbox, or came since this look began, is no drift."""
    with walk.context.database.organization(walk.organization_id) as session:
        ids = [invoice.id for invoice in listed]
        told = recent_news(session, walk, ids)  # first: an event that is finished in between has made its case by then
        known = _known(session, walk.connection.id, ids)
    found = []
    for invoice in listed:
        ours = known.get(invoice.id)
        if invoice.id in told or (ours and ours.invoice.refreshed_at >= read_at):
            continue
        if ours is None or ours.case_id is None:
            if is_lapsed(invoice) and _is_overlooked(walk, invoice, read_at):
                why = "It is open at Stripe after a failed payment, and had no case here."
                found.append(Found(FindingKind.FAILURE_WITHOUT_CASE, invoice.id, why))
        elif changes := differences(ours, invoice):
            why = f"At Stripe its {', '.join(changes)} is not what was known here."
            found.append(Found(FindingKind.INVOICE_CHANGED, invoice.id, why))
    return found


def differences(ours: Known, theirs: InvoiceSnapshot) -> list[str]:
    """The names of what differs; of an ended case only whether the invoice is open."""
    names = ["status"]
    if ours.case_state in UNPAID:
        names += ["amount_remaining", "attempt_count", "next_payment_attempt", "auto_advance"]
    return [name for name in names if getattr(ours.invoice, name) != getattr(theirs, name)]


def recent_news(session: Session, walk: Walk, invoice_ids: list[str]) -> set[str]:
    """Those of the invoices about which an event waits in the inbox or came since this look began."""
    query = select(InboxEvent.object_id).where(
        InboxEvent.connection_id == walk.connection.id,
        or_(InboxEvent.state == InboxState.RECEIVED, InboxEvent.received_at >= walk.started_at),
        InboxEvent.object_id.in_(invoice_ids),
    )
    return {object_id for object_id in session.scalars(query) if object_id}


def _known(session: Session, connection_id: UUID, invoice_ids: list[str]) -> dict[str, Known]:
    query = (
        select(Invoice, RecoveryCase.id, RecoveryCase.state)
        .outerjoin(RecoveryCase, RecoveryCase.invoice_id == Invoice.id)
        .where(Invoice.connection_id == connection_id, Invoice.stripe_id.in_(invoice_ids))
    )
    return {row[0].stripe_id: Known(*row) for row in session.execute(query)}


def _is_overlooked(walk: Walk, invoice: InvoiceSnapshot, read_at: datetime) -> bool:
    """Whether it failed since the connection was made, and long enough ago for its own event to have arrived."""
    connected_at = walk.connection.created_at.replace(microsecond=0)  # Stripe counts whole seconds
    failures = [charge.created for charge in _charges(walk, invoice) if charge.status == "failed"]
    if not failures:
        # 3-D Secure leaves no failed charge: the invoice's own age has to say whether this is news
        return connected_at <= invoice.created <= read_at - walk.on_its_way
    return min(failures) >= connected_at and max(failures) <= read_at - walk.on_its_way


def _charges(walk: Walk, invoice: InvoiceSnapshot) -> list[ChargeSnapshot]:
    try:
        paid_by = invoice.payment_intent_id or walk.gateway.get_invoice(invoice.id).payment_intent_id
        return walk.gateway.list_charges(paid_by) if paid_by else []
    except LACKING:
        return []


def _oldest(walk: Walk) -> datetime:
    """How far back the list must go to contain every invoice that concerns us."""
    with walk.context.database.organization(walk.organization_id) as session:
        oldest = session.scalar(
            select(func.min(Invoice.invoiced_at))
            .join(RecoveryCase, RecoveryCase.invoice_id == Invoice.id)
            .where(RecoveryCase.connection_id == walk.connection.id, RecoveryCase.state.in_(UNPAID))
        )
    since = walk.connection.created_at - BEFORE_THE_FIRST_TRY
    return min(since, oldest) if oldest else since


def _write(walk: Walk, session: Session, found: list[Found], seen: list[str], read_at: datetime) -> None:
    walk.found(session, found)
    walk.count("found", len(found))
    session.execute(
        update(Invoice)
        .where(Invoice.connection_id == walk.connection.id, Invoice.stripe_id.in_(seen))
        .values(seen_open_at=read_at)
    )
