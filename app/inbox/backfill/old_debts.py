"""Debts from before the connection: how many, how much, and, when the operator says so, a case for each.

A case for an old debt begins on the day it is asked for: no try of the past counts as one of its own, and its campaign
starts at the first step. Each invoice is read again before; whoever paid or left meanwhile is not asked.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.errors import RecoupError
from app.inbox.backfill.invoices import was_ended_by_us, write_failure
from app.inbox.backfill.past import why_not_asked
from app.inbox.errands.walk import Walk
from app.models import Connection, Invoice, PastFailure, RecoveryCase
from app.money import Money
from app.recovery.observing import apply
from app.recovery.projections import StaleReading
from app.recovery.reading import Reading, read_invoice
from app.stripe_gateway.errors import GatewayError, NotFound
from app.vocabulary import CaseOrigin, PastOutcome

AT_ONCE = 20


@dataclass(frozen=True)
class OldDebts:
    """Open debts of one currency. `customers` may owe several each."""

    invoices: int
    customers: int
    owed: Money


def old_debts(session: Session, connection_id: UUID) -> list[OldDebts]:
    """What cases could be opened for, by currency, as the past was read."""
    query = (
        select(
            Invoice.currency,
            func.count(),
            func.count(func.distinct(PastFailure.customer_stripe_id)),
            func.sum(Invoice.amount_remaining),
        )
        .select_from(PastFailure)
        .join(Invoice, Invoice.id == PastFailure.invoice_id)
        .where(*_askable(connection_id))
        .group_by(Invoice.currency)
        .order_by(Invoice.currency)
    )
    return [OldDebts(row[1], row[2], Money(int(row[3]), row[0])) for row in session.execute(query)]


def left_alone(session: Session, connection_id: UUID) -> dict[str, int]:
    """How many open debts are not asked for, by reason."""
    query = (
        select(PastFailure.not_asked_because, func.count())
        .where(
            PastFailure.connection_id == connection_id,
            PastFailure.outcome == PastOutcome.OPEN,
            PastFailure.not_asked_because.is_not(None),
        )
        .group_by(PastFailure.not_asked_because)
    )
    return {str(row[0]): row[1] for row in session.execute(query)}


def open_some(walk: Walk) -> bool:
    """Open cases for one batch of old debts."""
    place = walk.place("open")
    with walk.context.database.organization(walk.organization_id) as session:
        query = select(PastFailure.id, Invoice.stripe_id).join(Invoice, Invoice.id == PastFailure.invoice_id)
        query = query.where(*_askable(walk.connection.id)).order_by(PastFailure.id).limit(AT_ONCE)
        if "after" in place:
            query = query.where(PastFailure.id > UUID(place["after"]))
        batch = [(row[0], row[1]) for row in session.execute(query)]
    for past_id, invoice_id in batch:
        walk.count(_open(walk, invoice_id))
        place["after"] = str(past_id)
        walk.commit()
    return len(batch) < AT_ONCE


def _open(walk: Walk, invoice_id: str) -> str:
    """Open the case of one old debt; the name under which it is counted."""
    try:
        reading = read_invoice(walk.gateway, invoice_id, walk.context.clock.now())
    except NotFound:
        return "gone"
    with walk.context.database.organization(walk.organization_id) as session:
        is_left_alone = why_not_asked(reading, was_ended_by_us(session, reading)) is not None
    if reading.invoice.status != "open" or is_left_alone:
        walk.commit(lambda session: _note_change(session, walk, reading))
        return "not_asked"
    try:
        with walk.context.database.organization(walk.organization_id) as session:
            connection = session.get_one(Connection, walk.connection.id)
            now = walk.context.clock.now()
            case_id = apply(session, connection, reading, None, now, CaseOrigin.OLD_DEBT)
    except StaleReading:
        return "not_asked"  # somebody is at work on this invoice right now
    except GatewayError:
        raise
    except RecoupError as problem:
        walk.note(f"{invoice_id} could not become a case: {problem}")
        return "not_asked"
    return "opened" if case_id else "not_asked"


def _note_change(session: Session, walk: Walk, reading: Reading) -> None:
    write_failure(session, walk, reading)


def _askable(connection_id: UUID) -> tuple[ColumnElement[bool], ...]:
    has_case = select(RecoveryCase.id).where(RecoveryCase.invoice_id == PastFailure.invoice_id).exists()
    return (
        PastFailure.connection_id == connection_id,
        PastFailure.outcome == PastOutcome.OPEN,
        PastFailure.not_asked_because.is_(None),
        Invoice.status == "open",
        Invoice.amount_remaining > 0,
        ~has_case,
    )
