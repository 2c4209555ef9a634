"""Second stage: every invoice of the period. Those that failed are read with their charges and kept as history."""

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.inbox.backfill.charges import keep, since
from app.inbox.backfill.past import looks_failed, may_have_lapsed, past_of
from app.inbox.errands.walk import Walk
from app.models import Invoice, PastAttempt, PastFailure, RecoveryCase
from app.outcomes.ledger import has_ended
from app.recovery.projections import keep_listed_invoices
from app.recovery.reading import Reading, read_invoice
from app.stripe_gateway.errors import LACKING, NotFound
from app.stripe_gateway.snapshots import InvoiceSnapshot

AT_ONCE = 10  # readings written together: what a crash makes anew


def read(walk: Walk) -> bool:
    """Keep one page of invoices, with the failures on it."""
    place = walk.place("invoices")
    read_at = walk.context.clock.now()
    try:
        page = walk.gateway.invoices_page(created_after=since(walk), cursor=place.get("cursor"))
    except LACKING:
        walk.note("This server does not list invoices, so it has no past to read.")
        walk.commit()
        return True
    kept = [invoice for invoice in page.rows if invoice.status != "draft" and invoice.id]
    walk.commit(lambda session: keep_listed_invoices(session, walk.connection, kept, read_at))
    failed = _failed_among(walk, [invoice for invoice in kept if may_have_lapsed(invoice)])
    done = set(place.get("done", []))
    for start in range(0, len(failed), AT_ONCE):
        wanted = [invoice.id for invoice in failed[start : start + AT_ONCE] if invoice.id not in done]
        readings = [found for found in (_read(walk, invoice_id) for invoice_id in wanted) if found]
        place["done"] = [*place.get("done", []), *wanted]
        _commit_failures(walk, readings)
    place.update(cursor=page.cursor, done=[])
    walk.count("invoices", len(kept))
    walk.commit()
    return page.cursor is None


def _failed_among(walk: Walk, invoices: list[InvoiceSnapshot]) -> list[InvoiceSnapshot]:
    """Those that failed by what they say themselves or by a failed charge; an invoice with a case has its history."""
    with walk.context.database.organization(walk.organization_id) as session:
        intents = [invoice.payment_intent_id for invoice in invoices if invoice.payment_intent_id]
        charged = select(PastAttempt.payment_intent_id).where(
            PastAttempt.connection_id == walk.connection.id, PastAttempt.payment_intent_id.in_(intents)
        )
        declined = set(session.scalars(charged))
        cases = (
            select(Invoice.stripe_id)
            .join(RecoveryCase, RecoveryCase.invoice_id == Invoice.id)
            .where(
                Invoice.connection_id == walk.connection.id,
                Invoice.stripe_id.in_([invoice.id for invoice in invoices]),
            )
        )
        has_case = set(session.scalars(cases))
    return [
        invoice
        for invoice in invoices
        if invoice.id not in has_case and (looks_failed(invoice) or invoice.payment_intent_id in declined)
    ]


def _read(walk: Walk, invoice_id: str) -> Reading | None:
    try:
        return read_invoice(walk.gateway, invoice_id, walk.context.clock.now())
    except NotFound:
        return None


def _commit_failures(walk: Walk, readings: list[Reading]) -> None:
    def write(session: Session) -> None:
        for reading in readings:
            if write_failure(session, walk, reading):
                walk.count("failures")

    walk.commit(write)


def write_failure(session: Session, walk: Walk, reading: Reading) -> bool:
    """Write one past failure with its charges, as it is read now; False where nothing ever failed."""
    past = past_of(reading, was_ended_by_us(session, reading))
    if past is None:
        return False
    invoice_id = session.scalars(
        select(Invoice.id).where(Invoice.connection_id == walk.connection.id, Invoice.stripe_id == reading.invoice.id)
    ).one()
    keep(session, walk, reading.charges, _upsert(session, walk, invoice_id, past.columns), past.sources)
    return True


def was_ended_by_us(session: Session, reading: Reading) -> bool:
    """Whether a final action of Recoup, for another invoice, ended the subscription that a reading is of."""
    return reading.subscription is not None and has_ended(session, reading.subscription.id)


def _upsert(session: Session, walk: Walk, invoice_id: UUID, columns: dict[str, Any]) -> UUID:
    statement = insert(PastFailure).values(
        id=uuid4(),
        organization_id=walk.organization_id,
        connection_id=walk.connection.id,
        invoice_id=invoice_id,
        **columns,
    )
    told = {name: statement.excluded[name] for name in columns}
    statement = statement.on_conflict_do_update(index_elements=["invoice_id"], set_=told)
    return session.scalars(statement.returning(PastFailure.id)).one()
