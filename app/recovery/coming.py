"""What is due when, over all organizations: for whoever turns a clock and wants nothing to be skipped."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from app.context import Context
from app.models import ChargeAttempt, InboxEvent, Message, Step
from app.vocabulary import InboxState, MessageState, StepState


def next_moment(context: Context) -> datetime | None:
    """The next moment at which Recoup has something to do by itself; None when nothing is planned."""
    queries = (
        select(func.min(Step.due_at)).where(Step.state == StepState.PLANNED),
        select(func.min(Message.next_try_at)).where(Message.state.in_((MessageState.PLANNED, MessageState.UNKNOWN))),
        select(func.min(ChargeAttempt.next_check_at)),
        select(func.min(InboxEvent.next_try_at)).where(InboxEvent.state == InboxState.RECEIVED),
    )
    with context.database.system() as session:
        return min((moment for moment in map(session.scalar, queries) if moment), default=None)


def is_at_rest(context: Context) -> bool:
    """Whether nothing that is due by now is left undone, and nobody is at work."""
    now = context.clock.now()
    at_work: tuple[tuple[type[Step | Message | InboxEvent], ColumnElement[bool]], ...] = (
        (Step, (Step.state.in_((StepState.CLAIMED, StepState.RUNNING)))),
        (Step, (Step.state == StepState.PLANNED) & (Step.due_at <= now)),
        (InboxEvent, (InboxEvent.state == InboxState.RECEIVED) & (InboxEvent.next_try_at <= now)),
        (InboxEvent, (InboxEvent.state == InboxState.RECEIVED) & (InboxEvent.lease_token.is_not(None))),
        (Message, Message.state == MessageState.CLAIMED),
        (Message, (Message.state == MessageState.PLANNED) & (Message.next_try_at <= now)),
    )
    with context.database.system() as session:
        return not any(session.scalar(select(row.id).where(which).limit(1)) for row, which in at_work)
