"""What an operator may do to a case by hand. Network rules bind people too; everything done is audited.

Who did it stands on the case's timeline, too.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.bell import Urgency
from app.context import Context
from app.db import after_commit
from app.errors import RecoupError
from app.models import AuditEntry, Hold, RecoveryCase
from app.recovery import by_hand, cases, handover, holds, planning, questions, steps
from app.recovery.cases import Happened
from app.vocabulary import OPEN_CASE_STATES, CaseState, EntryKind, Fact, HoldKind, StepKind, StopReason


class NotAllowedNow(RecoupError):
    """The case, a hold or a network rule stands against what was asked; the text says which."""


@dataclass(frozen=True)
class Person:
    """Whoever acts, by the name that is shown and, if they signed in, the user they are."""

    name: str
    user_id: UUID | None = None


def retry_now(context: Context, organization_id: UUID, case_id: UUID, by: Person) -> None:
    """Bring the next try to this moment; raises `NotAllowedNow`."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        case = cases.lock_case(session, case_id)
        obstacle = by_hand.obstacle(session, case, now)
        if obstacle:
            raise NotAllowedNow(obstacle)
        if handover.is_under_way(session, case):
            raise NotAllowedNow("It is just being changed who retries this case. Ask again in a minute.")
        standing = steps.open_steps(session, case.id, StepKind.RETRY)
        if standing and standing[0].state != "planned":
            raise NotAllowedNow("A try is under way already.")
        content = {"by": by.name}
        if standing:
            standing[0].due_at, standing[0].why, standing[0].plan = now, f"asked for by {by.name}", content
        else:
            key = f"retry:by_hand:{case.version}"
            steps.plan(session, case, StepKind.RETRY, key, now, f"asked for by {by.name}", content)
        _tell(session, case, by, "case.retry_now", f"{by.name} asked to try the card now.", now)
        after_commit(session, lambda: context.bell.ring("sweep", urgency=Urgency.NOW))


def stop_case(context: Context, organization_id: UUID, case_id: UUID, by: Person, note: str) -> None:
    """Close a case for good: no more tries, no more mails. A payment would still count."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        case = cases.lock_case(session, case_id)
        if case.state in (CaseState.RECOVERED, CaseState.CLOSED):
            raise NotAllowedNow(f"The case has ended already: {case.state}.")
        summary = f"Stopped by {by.name}" + (f": {note}" if note else ".")
        data = {"reason": StopReason.OPERATOR, "note": note, "by": by.name}
        cases.record(session, case, Happened(Fact.STOPPED, "stopped:operator", now, summary, data), now)
        planning.replan(session, case, now)
        _audit(session, case, by, "case.stopped", now, note=note)


def snooze(context: Context, organization_id: UUID, case_id: UUID, until: datetime, by: Person, note: str) -> None:
    """Leave a case alone until `until` (aware UTC), which must lie ahead and inside its window."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        case = cases.lock_case(session, case_id)
        if case.state not in OPEN_CASE_STATES:
            raise NotAllowedNow(f"The case has ended already: {case.state}.")
        if not now < until < case.window_ends_at:
            raise NotAllowedNow(
                f"A snooze must end after now and before the window does, {case.window_ends_at:%Y-%m-%d}."
            )
        holds.place(
            session,
            organization_id=organization_id,
            customer_id=case.customer_id,
            case_id=case.id,
            kind=HoldKind.SNOOZE,
            key=f"snooze:{case.id}:{until.isoformat()}",
            reason=note or "snoozed",
            until=until,
            by=by.name,
            now=now,
        )
        summary = f"{by.name} snoozed the case until {until:%Y-%m-%d %H:%M} UTC" + (f": {note}" if note else ".")
        _tell(session, case, by, "case.snoozed", summary, now, until=until.isoformat(), note=note)


def end_links(context: Context, organization_id: UUID, case_id: UUID, by: Person) -> None:
    """End every payment link that was sent to the customer of a case: each leads to all that this person owes.

    Links made from now on work. Whoever opens an ended one may have a fresh one sent to the customer's own address.
    """
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        customer_id = session.get_one(RecoveryCase, case_id).customer_id
        theirs = select(RecoveryCase.id).where(RecoveryCase.customer_id == customer_id)
        for found in session.scalars(theirs.order_by(RecoveryCase.failed_at, RecoveryCase.id)).all():
            case = cases.lock_case(session, found)
            case.link_version += 1
            summary = f"{by.name} ended the payment links that were sent to this customer."
            _tell(session, case, by, "case.links_ended", summary, now)


def release_hold(context: Context, organization_id: UUID, hold_id: UUID, by: Person, answer: str = "") -> None:
    """End a hold before its time. Where it is a customer's note, an `answer` is shown to them on their page."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        hold = session.get(Hold, hold_id, with_for_update=True)
        if hold is None:
            raise NotAllowedNow("There is no such hold.")
        if answer and hold.released_at is None:
            questions.answer(session, hold, answer, by.name, now)
        if not holds.release(session, hold, f"released by {by.name}", now):
            raise NotAllowedNow("The hold has been released already.")
        case = session.get(RecoveryCase, hold.case_id) if hold.case_id else None
        subject = f"case {case.id}" if case else f"hold {hold.id}"
        _audit_subject(session, organization_id, subject, by, "hold.released", now, {"hold": str(hold.id)})


def _tell(
    session: Session, case: RecoveryCase, by: Person, action: str, summary: str, now: datetime, **data: Any
) -> None:
    """Say on the timeline and in the audit who did what."""
    name = action.removeprefix("case.")
    key = f"{name}:by_hand:{now.isoformat()}"
    cases.append(session, case, EntryKind.ACTION, name, key, now, now, summary, {"by": by.name, **data})
    _audit(session, case, by, action, now, **data)


def _audit(session: Session, case: RecoveryCase, by: Person, action: str, now: datetime, **data: Any) -> None:
    _audit_subject(session, case.organization_id, f"case {case.id}", by, action, now, data)


def _audit_subject(
    session: Session, organization_id: UUID, subject: str, by: Person, action: str, now: datetime, data: dict[str, Any]
) -> None:
    session.add(
        AuditEntry(
            organization_id=organization_id,
            actor=by.name,
            user_id=by.user_id,
            action=action,
            subject=subject,
            happened_at=now,
            data=data,
        )
    )
