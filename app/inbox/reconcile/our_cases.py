"""Unpaid cases whose invoice was not among Stripe's open ones: paid, voided or written off without a word to us."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from app.inbox.errands.walk import Found, Walk
from app.inbox.reconcile.repairing import repair_pending
from app.inbox.reconcile.their_invoices import UNPAID, recent_news
from app.models import Finding, Invoice, RecoveryCase
from app.vocabulary import FindingKind

AT_ONCE = 50
WHY = "Its case here waits for money, but at Stripe it is not among the open invoices."


def look(walk: Walk) -> bool:
    """Look at one batch of unpaid cases; whichever Stripe's list did not contain is read for itself."""
    place = walk.place("cases")
    repair_pending(walk)
    with walk.context.database.organization(walk.organization_id) as session:
        batch = _unseen(walk, session, place.get("after"))
        told = recent_news(session, walk, [stripe_id for _, stripe_id in batch])
    hidden = {*told, *walk.place("invoices").get("seen", [])}
    found = [Found(FindingKind.INVOICE_ENDED, stripe_id, WHY) for _, stripe_id in batch if stripe_id not in hidden]
    walk.see(found)
    walk.count("found", len(found))
    walk.commit(lambda session: walk.found(session, found))
    repair_pending(walk)
    if batch:
        place["after"] = str(batch[-1][0])
    walk.count("cases", len(batch))
    walk.commit()
    return len(batch) < AT_ONCE


def _unseen(walk: Walk, session: Session, after: str | None) -> list[tuple[UUID, str]]:
    query = (
        select(RecoveryCase.id, Invoice.stripe_id)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .where(
            RecoveryCase.connection_id == walk.connection.id,
            RecoveryCase.state.in_(UNPAID),
            Invoice.status == "open",
            _is_before(walk.started_at),
            Invoice.refreshed_at < walk.started_at,
            ~_is_told_to_be_gone(walk),
        )
        .order_by(RecoveryCase.id)
        .limit(AT_ONCE)
    )
    if after:
        query = query.where(RecoveryCase.id > UUID(after))
    return [(row[0], row[1]) for row in session.execute(query)]


def _is_told_to_be_gone(walk: Walk) -> ColumnElement[bool]:
    """An invoice that Stripe has lost is for a person to judge, and told of once."""
    return exists().where(
        Finding.connection_id == walk.connection.id,
        Finding.kind == FindingKind.INVOICE_GONE,
        Finding.subject == Invoice.stripe_id,
    )


def _is_before(moment: datetime) -> ColumnElement[bool]:
    return or_(Invoice.seen_open_at.is_(None), Invoice.seen_open_at < moment)
