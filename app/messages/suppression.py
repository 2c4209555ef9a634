"""Addresses that must not be written to any more. Compared without regard to case, within one organization."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.models import Suppression


class SuppressedBecause(StrEnum):
    """Why an address is not written to."""

    BOUNCED = "bounced"
    INVALID = "invalid"
    SPAM_REPORT = "spam_report"
    UNSUBSCRIBED = "unsubscribed"
    OPERATOR = "operator"


def is_suppressed(session: Session, address: str) -> bool:
    """Whether this organization must not write to `address`."""
    wanted = select(Suppression.id).where(func.lower(Suppression.address) == func.lower(address))
    return session.scalar(wanted) is not None


def suppress(session: Session, address: str, reason: SuppressedBecause, now: datetime) -> bool:
    """Stop writing to `address`. False where that was so already; the first reason stays."""
    organization_id: UUID = session.info["organization_id"]
    row = insert(Suppression).values(organization_id=organization_id, address=address, reason=reason, since=now)
    added = session.execute(row.on_conflict_do_nothing().returning(Suppression.id)).first()
    return added is not None


def lift(session: Session, address: str, because: SuppressedBecause | None = None) -> bool:
    """Write to `address` again; with `because`, only if that was the reason. False where nothing stood in the way."""
    rows = delete(Suppression).where(func.lower(Suppression.address) == func.lower(address))
    if because is not None:
        rows = rows.where(Suppression.reason == because)
    return session.scalars(rows.returning(Suppression.id)).first() is not None
