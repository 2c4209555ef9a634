"""First stage: every failed charge of the period: which invoices failed, and what network budgets must count."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.inbox.errands.walk import Walk
from app.models import PastAttempt
from app.stripe_gateway.errors import LACKING
from app.stripe_gateway.snapshots import ChargeSnapshot
from app.vocabulary import AttemptSource, AttemptState

NOT_SENT = "not_sent_to_network"


def since(walk: Walk) -> datetime:
    """The beginning of the period."""
    return datetime.fromisoformat(walk.options["since"])


def read(walk: Walk) -> bool:
    """Keep the failed charges of one page."""
    place = walk.place("charges")
    try:
        page = walk.gateway.failed_charges_page(created_after=since(walk), cursor=place.get("cursor"))
    except LACKING:
        walk.note("This server does not list charges; failures are known from the invoices themselves.")
        walk.commit()
        return True
    place["cursor"] = page.cursor
    walk.count("failed_charges", len(page.rows))
    walk.commit(lambda session: keep(session, walk, page.rows))
    return page.cursor is None


def keep(
    session: Session,
    walk: Walk,
    charges: tuple[ChargeSnapshot, ...],
    past_failure_id: UUID | None = None,
    sources: dict[str, AttemptSource] | None = None,
) -> None:
    """Write charges by their ids; those known already only learn which failure they belong to."""
    known_sources = sources or {}
    rows = [
        _row(walk, charge, past_failure_id, known_sources.get(charge.id, AttemptSource.ELSEWHERE))
        for charge in charges
        if charge.status in ("failed", "succeeded")
    ]
    if not rows:
        return
    statement = insert(PastAttempt).values(rows)
    if past_failure_id is None:
        session.execute(statement.on_conflict_do_nothing())
        return
    told = {name: statement.excluded[name] for name in ("past_failure_id", "source", "state", "signals")}
    session.execute(statement.on_conflict_do_update(index_elements=["connection_id", "charge_id"], set_=told))


def _row(walk: Walk, charge: ChargeSnapshot, failure_id: UUID | None, source: AttemptSource) -> dict[str, Any]:
    card = charge.card
    return {
        "id": uuid4(),
        "organization_id": walk.organization_id,
        "connection_id": walk.connection.id,
        "past_failure_id": failure_id,
        "charge_id": charge.id,
        "payment_intent_id": charge.payment_intent_id,
        "source": source,
        "state": AttemptState.SUCCEEDED if charge.status == "succeeded" else AttemptState.DECLINED,
        "payment_method_id": charge.payment_method_id,
        "fingerprint": card.fingerprint if card else None,
        "brand": card.brand if card else None,
        "funding": card.funding if card else None,
        "country": card.country if card else None,
        "amount": charge.amount,
        "currency": charge.currency,
        "started_at": charge.created,
        "signals": asdict(charge.signals),
        "reached_network": charge.signals.network_status != NOT_SENT,
    }
