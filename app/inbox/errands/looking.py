"""Errands as people and programs read them. Only reads."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.models import Errand, Finding
from app.vocabulary import ErrandKind, ErrandState, FindingKind


def newest(session: Session, kind: ErrandKind, connection_id: UUID | None = None) -> dict[UUID, Errand]:
    """The newest errand of a kind for each connection that the session sees, or for one."""
    query = (
        select(Errand)
        .where(Errand.kind == kind)
        .ext(distinct_on(Errand.connection_id))
        .order_by(Errand.connection_id, Errand.started_at.desc())
    )
    if connection_id:
        query = query.where(Errand.connection_id == connection_id)
    return {errand.connection_id: errand for errand in session.scalars(query)}


def endpoint_trouble(session: Session) -> dict[UUID, Finding]:
    """What the last finished look said about the endpoint, for each connection where it said anything."""
    query = (
        select(Errand.id)
        .where(Errand.kind == ErrandKind.RECONCILE, Errand.state == ErrandState.DONE)
        .ext(distinct_on(Errand.connection_id))
        .order_by(Errand.connection_id, Errand.started_at.desc())
    )
    last = list(session.scalars(query))
    found: Sequence[Finding] = session.scalars(
        select(Finding).where(Finding.errand_id.in_(last), Finding.kind == FindingKind.ENDPOINT)
    ).all()
    return {finding.connection_id: finding for finding in found}
