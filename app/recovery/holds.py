"""Holds on a customer or one case: placed, released, and the calendar brought into line with them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.models import Hold, RecoveryCase
from app.recovery import cases, closing, planning
from app.vocabulary import OPEN_CASE_STATES, EntryKind, HoldKind


def place(
    session: Session,
    *,
    organization_id: UUID,
    customer_id: UUID,
    case_id: UUID | None,
    kind: HoldKind,
    key: str,
    reason: str,
    until: datetime | None,
    by: str,
    now: datetime,
    promised_for: datetime | None = None,
) -> bool:
    """Hold a case (or, with `case_id` None, all of a customer's); False where this hold has been placed before."""
    statement = (
        insert(Hold)
        .values(
            organization_id=organization_id,
            customer_id=customer_id,
            case_id=case_id,
            kind=kind,
            key=key,
            reason=reason,
            begins_at=now,
            until=until,
            promised_for=promised_for,
            created_by=by,
        )
        .on_conflict_do_nothing(index_elements=["customer_id", "key"])
        .returning(Hold.id)
    )
    hold_id = session.scalar(statement)
    if hold_id is None:
        return False
    end = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until it is released"
    _tell_cases(session, customer_id, case_id, f"hold:{hold_id}", f"On hold {end}: {reason}", now)
    return True


def release(session: Session, hold: Hold, why: str, now: datetime) -> bool:
    """End a hold early and plan again; False where it was released before."""
    if hold.released_at is not None:
        return False
    hold.released_at = now
    session.flush()
    _tell_cases(session, hold.customer_id, hold.case_id, f"released:{hold.id}", f"The hold has ended: {why}", now)
    return True


def find(session: Session, customer_id: UUID, key: str) -> Hold | None:
    """A customer's hold by its key."""
    return session.scalar(select(Hold).where(Hold.customer_id == customer_id, Hold.key == key).with_for_update())


def _tell_cases(
    session: Session, customer_id: UUID, case_id: UUID | None, key: str, summary: str, now: datetime
) -> None:
    query = select(RecoveryCase.id).where(
        RecoveryCase.customer_id == customer_id, RecoveryCase.state.in_(OPEN_CASE_STATES)
    )
    if case_id is not None:
        query = query.where(RecoveryCase.id == case_id)
    for found in session.scalars(query.order_by(RecoveryCase.failed_at, RecoveryCase.id)).all():
        case = cases.lock_case(session, found)
        cases.append(session, case, EntryKind.FACT, "hold", key, now, now, summary)
        closing.bring_into_line(session, case, planning.definition_of(session, case), now)
        planning.replan(session, case, now)
