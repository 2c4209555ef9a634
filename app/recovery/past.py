"""The past before Recoup, for whoever learns from it or must count it. Only reads.

An invoice that has a case since is the case's story: it is left out here, so that nothing counts twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.db import prepared
from app.models import ChargeAttempt, PastAttempt, PastFailure, RecoveryCase


@dataclass(frozen=True)
class PastStory:
    """One past failure and every try of its invoice, oldest first. Open ones are known up to `failure.read_at`."""

    failure: PastFailure
    attempts: Sequence[PastAttempt]


def past_uses_of_card(
    session: Session, connection_id: UUID, fingerprint: str, since: datetime
) -> Sequence[PastAttempt]:
    """Charges of a card number from before that reached the network since `since`, unless a case knows them by now."""
    return session.scalars(*_uses_of_card(connection_id, fingerprint, since)).all()


@prepared
def _uses_of_card(connection_id: UUID, fingerprint: str, since: datetime) -> Select[PastAttempt]:
    is_known = select(ChargeAttempt.id).where(
        ChargeAttempt.connection_id == PastAttempt.connection_id, ChargeAttempt.charge_id == PastAttempt.charge_id
    )
    query = select(PastAttempt).where(
        PastAttempt.connection_id == connection_id,
        PastAttempt.fingerprint == fingerprint,
        PastAttempt.started_at > since,
        PastAttempt.reached_network,
        ~is_known.exists(),
    )
    return query.order_by(PastAttempt.started_at)


def past_stories(session: Session, since: datetime) -> Iterator[PastStory]:
    """Every past failure from `since` on, oldest first; read in batches, so memory stays small."""
    has_case = select(RecoveryCase.id).where(RecoveryCase.invoice_id == PastFailure.invoice_id).exists()
    query = (
        select(PastFailure)
        .where(PastFailure.failed_at >= since, ~has_case)
        .order_by(PastFailure.failed_at, PastFailure.id)
        .execution_options(yield_per=500)
    )
    for failures in session.scalars(query).partitions():
        ids = [failure.id for failure in failures]
        rows = session.scalars(
            select(PastAttempt)
            .where(PastAttempt.past_failure_id.in_(ids))
            .order_by(PastAttempt.started_at, PastAttempt.charge_id)
        ).all()
        for failure in failures:
            yield PastStory(failure, [row for row in rows if row.past_failure_id == failure.id])
