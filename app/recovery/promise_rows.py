"""Promises as rows: which one stands, from when the card may be tried for it, what becomes of it when its case ends.

A promise is a hold of kind `promise` on one case. Only reads and writes rows; making and breaking one is `promises`'.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from app.db import prepared
from app.models import ChargeAttempt, Hold, RecoveryCase
from app.recovery import cases
from app.vocabulary import AttemptState, CaseState, EntryKind, HoldKind

MADE, MOVED, KEPT, BROKEN = "promise_made", "promise_moved", "promise_kept", "promise_broken"
DECLINED = (AttemptState.DECLINED, AttemptState.REQUIRES_ACTION)


def unreleased(session: Session, case: RecoveryCase) -> Sequence[Hold]:
    """The holds on `case` or on all of its customer's that nobody has released, newest first; over or not."""
    return session.scalars(*_unreleased(case.customer_id, case.id)).all()


@prepared
def _unreleased(customer_id: UUID, case_id: UUID) -> Select[Hold]:
    is_on_case = Hold.case_id.is_(None) | (Hold.case_id == case_id)
    holds = select(Hold).where(Hold.customer_id == customer_id, is_on_case, Hold.released_at.is_(None))
    return holds.order_by(Hold.begins_at.desc())


def find_standing(session: Session, case: RecoveryCase, now: datetime) -> Hold | None:
    """The promise that stands for `case` at `now`: neither broken nor taken back, its day not over."""
    return standing_in(unreleased(session, case), now)


def standing_in(holds: Sequence[Hold], now: datetime) -> Hold | None:
    """The same among the unreleased holds of a case."""
    return next((hold for hold in holds if hold.kind is HoldKind.PROMISE and hold.until and hold.until > now), None)


def promised_in(holds: Sequence[Hold], since: datetime) -> datetime | None:
    """The day that was last promised since a moment, among the unreleased holds of a case; passed or not."""
    promises = (hold for hold in holds if hold.kind is HoldKind.PROMISE and hold.begins_at >= since)
    newest = next(promises, None)
    return (newest.promised_for or newest.until) if newest else None


def find_due(session: Session, case: RecoveryCase, now: datetime) -> Hold | None:
    """The promise whose day it is and whose try has not been made yet."""
    standing = find_standing(session, case, now)
    if standing is None or may_try_from(standing) > now or was_tested(session, case, standing):
        return None
    return standing


def may_try_from(promise: Hold) -> datetime:
    """The moment from which the card may be tried; one that a person entered as a hold names its end."""
    moment = promise.promised_for or promise.until
    assert moment is not None, "a promise has a day"
    return moment


def was_tested(session: Session, case: RecoveryCase, promise: Hold) -> bool:
    """Whether the card was declined since the promised moment came."""
    tested = exists().where(
        ChargeAttempt.case_id == case.id,
        ChargeAttempt.state.in_(DECLINED),
        ChargeAttempt.started_at >= may_try_from(promise),
    )
    return bool(session.scalar(select(tested)))


def settle(session: Session, case: RecoveryCase, now: datetime) -> None:
    """The case has ended: a promise that stands is kept if money came, and of no more interest otherwise."""
    promise = find_standing(session, case, now)
    if promise is None or promise.case_id is None:
        return
    promise.released_at = now
    if case.state is CaseState.RECOVERED:
        summary = "Paid, as the customer had promised."
        data = {"hold": str(promise.id), "promised_for": may_try_from(promise).isoformat()}
        cases.append(session, case, EntryKind.FACT, KEPT, f"{KEPT}:{promise.id}", now, now, summary, data)
