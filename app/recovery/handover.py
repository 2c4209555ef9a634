"""Who collects an invoice, Stripe or Recoup: what stands at Stripe brought into line with the connection's mode.

By the level, not by the edge: every reading of an invoice compares, and plans a step where the two differ. So it makes
no difference whether a switch was seen, when a worker died, or who else turned automatic collection on. Rows only; the
steps themselves are carried out in `handover_steps`.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.db import prepared
from app.models import Connection, Invoice, RecoveryCase, Step
from app.recovery import steps
from app.vocabulary import OPEN_CASE_STATES, OPEN_STEP_STATES, ConnectionMode, Enforcement, StepKind, StepState

OF_INVOICE = (StepKind.TAKE_OVER, StepKind.GIVE_BACK)
BEFORE_TRIES = (StepKind.SWITCH, StepKind.GIVE_BACK)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=10), timedelta(hours=12)
NEAR = timedelta(minutes=10)
_WHY = {
    StepKind.TAKE_OVER: "Recoup drives: Stripe is asked to leave this invoice to it.",
    StepKind.GIVE_BACK: "Recoup observes: Stripe is asked to collect this invoice again.",
}


def bring_into_line(
    session: Session, connection: Connection, case: RecoveryCase, invoice: Invoice, now: datetime
) -> None:
    """Plan to take the invoice from Stripe, or to give it back, where its state at Stripe does not fit the mode."""
    kind = _wanted(session, connection, case, invoice)
    if kind is None:
        return
    former = _handovers(session, case)
    if any(step.kind is kind and step.state in OPEN_STEP_STATES for step in former):
        return
    number = sum(step.kind is kind for step in former) + 1
    steps.plan(session, case, kind, f"{kind}:{number}", _not_before(former, kind, now), _WHY[kind])


def fits(connection: Connection, case: RecoveryCase, kind: StepKind) -> bool:
    """Whether a hand-over of this kind is still what the connection and the case want."""
    mode = ConnectionMode.DRIVE if kind is StepKind.TAKE_OVER else ConnectionMode.OBSERVE
    is_allowed = kind is StepKind.GIVE_BACK or connection.enforcement is Enforcement.ENFORCE
    return connection.mode is mode and is_allowed and case.state in OPEN_CASE_STATES


def is_under_way(session: Session, case: RecoveryCase) -> bool:
    """Whether it is being changed who retries: until that is done, nothing is tried and nothing decided."""
    return session.scalar(*_under_way(case.id)) is not None


@prepared
def _under_way(case_id: UUID) -> Select[UUID]:
    found = select(Step.id).where(
        Step.case_id == case_id, Step.kind.in_(BEFORE_TRIES), Step.state.in_(OPEN_STEP_STATES)
    )
    return found.limit(1)


def clear_of_stripe(invoice: Invoice, now: datetime) -> datetime | None:
    """When a try of ours is clear of one that Stripe makes about now; None when Stripe makes none."""
    planned = invoice.next_payment_attempt
    if planned is None or not planned - NEAR <= now <= planned + NEAR:
        return None
    return planned + NEAR + timedelta(seconds=1)


def _wanted(session: Session, connection: Connection, case: RecoveryCase, invoice: Invoice) -> StepKind | None:
    if invoice.status != "open":
        return None
    is_at_stripe = invoice.auto_advance or invoice.next_payment_attempt is not None
    if is_at_stripe and fits(connection, case, StepKind.TAKE_OVER):
        return StepKind.TAKE_OVER
    if not is_at_stripe and fits(connection, case, StepKind.GIVE_BACK) and _was_taken(session, case):
        return StepKind.GIVE_BACK
    return None


def _was_taken(session: Session, case: RecoveryCase) -> bool:
    """Whether it was Recoup that turned the collection off: what somebody else turned off is not turned on again."""
    for step in reversed(_handovers(session, case)):
        if step.kind is StepKind.GIVE_BACK and step.state is StepState.DONE:
            return False
        # every time it was begun it may have asked Stripe, except the one that found it needless
        may_have_asked = step.claims > (step.state is StepState.SKIPPED)
        if step.kind is StepKind.TAKE_OVER and may_have_asked:
            return True
    return False


def _handovers(session: Session, case: RecoveryCase) -> list[Step]:
    """Every hand-over of the case, in the order in which they ended; what has not ended comes last."""
    return list(session.scalars(*_handovers_of(case.id)))


@prepared
def _handovers_of(case_id: UUID) -> Select[Step]:
    query = select(Step).where(Step.case_id == case_id, Step.kind.in_(OF_INVOICE))
    return query.order_by(Step.finished_at.asc().nulls_last(), Step.due_at)


def _not_before(former: list[Step], kind: StepKind, now: datetime) -> datetime:
    """At once the first time; ever later where it was done before and did not last, so that two do not fight for it."""
    in_a_row: list[Step] = []
    for step in reversed([step for step in former if step.state in (StepState.DONE, StepState.FAILED)]):
        if step.kind is not kind:
            break
        in_a_row.append(step)
    if not in_a_row:
        return now
    pause: timedelta = min(FIRST_PAUSE * 3 ** min(len(in_a_row) - 1, 9), LONGEST_PAUSE)
    return max(now, (in_a_row[0].finished_at or now) + pause)
