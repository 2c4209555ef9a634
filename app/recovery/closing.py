"""When a case's window really closes: on its day, or later where a hold kept the final notice back.

A campaign promises its customers so many days between the final notice and the end. A snooze or a dispute hushes the
notice, too; it then goes after the hold, the end waits until those days have passed, and what mails and the page
announce is this moment. Promises are made by the customer, inside the window, and move nothing by themselves; but
whatever holds the notice up, the end comes no sooner than a day after it has left.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.campaigns.definition import CampaignDefinition
from app.messages import endings
from app.models import Hold, RecoveryCase, Step
from app.recovery import cases, mail_steps
from app.vocabulary import EntryKind, HoldKind, StepKind, StepState

NOTICE = "final_notice"
WINDOW_END = "window_end"  # the step's key
LOOK_AGAIN = timedelta(hours=6)  # while nothing says when a hold will end


def closes_at(session: Session, case: RecoveryCase, definition: CampaignDefinition, now: datetime) -> datetime | None:
    """The end of the window (aware UTC), or when to look again while the final notice is still on its way.

    None while a hold without an end keeps that back.
    """
    closes = _after_holds(session, case, definition)
    told_until = endings.told_until(session, case, now)
    return max(closes, told_until) if closes and told_until else closes


def waits_until(
    session: Session, case: RecoveryCase, definition: CampaignDefinition, step: Step, now: datetime
) -> datetime | None:
    """Until when a step that is a final notice has to wait for a hold; None where it may go, or is another mail."""
    days = _notices(definition).get(step.key)
    if days is None:
        return None
    closes = _after_holds(session, case, definition)
    if closes is None:
        return now + LOOK_AGAIN
    return closes - days if closes - days > now else None


def bring_into_line(session: Session, case: RecoveryCase, definition: CampaignDefinition, now: datetime) -> None:
    """Move the end and its notices on the calendar to where they belong, and say so on the timeline."""
    closes = _after_holds(session, case, definition)
    if closes is None or not _move(session, case, WINDOW_END, closes, now):
        return
    for key, days in _notices(definition).items():
        _move(session, case, key, closes - days, now)
    summary = f"The window closes on {closes:%Y-%m-%d %H:%M} UTC: its final notice comes that long before it."
    cases.append(session, case, EntryKind.NOTE, "window_moved", f"window:{now.isoformat()}", now, now, summary)


def _after_holds(session: Session, case: RecoveryCase, definition: CampaignDefinition) -> datetime | None:
    notices = _notices(definition)
    if not notices:
        return case.window_ends_at
    lead = max(notices.values())
    told_at = _free_from(case.window_ends_at - lead, _holds(session, case))
    return told_at + lead if told_at else None


def _notices(definition: CampaignDefinition) -> dict[str, timedelta]:
    """How long before the end each final notice goes, by the key of its step."""
    return {
        mail_steps.PREFIX + message.key: timedelta(days=message.days)
        for message in definition.messages
        if message.anchor == "end" and message.kind == NOTICE
    }


def _move(session: Session, case: RecoveryCase, key: str, due_at: datetime, now: datetime) -> bool:
    """Move a step that has not begun; what is due already is not brought forward any further."""
    moved = (
        update(Step)
        .where(Step.case_id == case.id, Step.key == key, Step.kind.in_((StepKind.WINDOW_END, StepKind.MESSAGE)))
        .where(Step.state.in_((StepState.PLANNED, StepState.CLAIMED)), Step.due_at != due_at)
        .where((Step.due_at > now) | (due_at > now))
        .values(due_at=due_at, state=StepState.PLANNED, lease_token=None, lease_until=None)
        .returning(Step.id)
    )
    return session.scalar(moved) is not None


def _holds(session: Session, case: RecoveryCase) -> Sequence[Hold]:
    theirs = (Hold.case_id.is_(None)) | (Hold.case_id == case.id)
    query = select(Hold).where(Hold.customer_id == case.customer_id, theirs, Hold.kind != HoldKind.PROMISE)
    return session.scalars(query.order_by(Hold.begins_at, Hold.id)).all()


def _free_from(moment: datetime, holds: Sequence[Hold]) -> datetime | None:
    """The first moment from `moment` on that no hold covers; None where one has no end."""
    for hold in holds:  # by their beginnings, so one look at each is enough
        ends = min(filter(None, (hold.until, hold.released_at)), default=None)
        if hold.begins_at <= moment and (ends is None or ends > moment):
            if ends is None:
                return None
            moment = ends
    return moment
