"""Addresses that must not be written to any more, or only with what is no reminder. Compared without regard to case,
within one organization; what an unsubscribed address still gets is the cadence's to say.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, String, cast, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db import prepared
from app.messages.words import SuppressedBecause
from app.models import Suppression


def find_reason(session: Session, address: str) -> SuppressedBecause | None:
    """Why this organization must not write to `address` as it likes; None where it may."""
    reason = session.scalar(*_reason(address))
    return SuppressedBecause(reason) if reason is not None else None


@prepared
def _reason(address: str) -> Select[str]:
    return select(Suppression.reason).where(func.lower(Suppression.address) == func.lower(cast(address, String)))


def suppress(session: Session, address: str, reason: SuppressedBecause, now: datetime) -> bool:
    """Stop writing to `address`. False where that was so already.

    The first reason stays, except that one which allows no mail at all takes the place of an unsubscription.
    """
    organization_id: UUID = session.info["organization_id"]
    row = insert(Suppression).values(organization_id=organization_id, address=address, reason=reason, since=now)
    harder = reason is not SuppressedBecause.UNSUBSCRIBED
    statement = row.on_conflict_do_update(
        index_elements=["organization_id", func.lower(Suppression.address)],
        set_={"reason": reason, "since": now},
        where=(Suppression.reason == SuppressedBecause.UNSUBSCRIBED) & harder,
    )
    return session.execute(statement.returning(Suppression.id)).first() is not None


def lift(session: Session, address: str, because: SuppressedBecause | None = None) -> bool:
    """Write to `address` again; with `because`, only if that was the reason. False where nothing stood in the way."""
    rows = delete(Suppression).where(func.lower(Suppression.address) == func.lower(address))
    if because is not None:
        rows = rows.where(Suppression.reason == because)
    return session.scalars(rows.returning(Suppression.id)).first() is not None
