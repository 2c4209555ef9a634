"""What is due when, over all organizations: for whoever turns a clock and wants nothing to be skipped."""

from datetime import datetime

from sqlalchemy import Select, exists, func, or_, select

from app.context import Context
from app.db import prepared
from app.models import ChargeAttempt, InboxEvent, Message, Step
from app.vocabulary import OPEN_ATTEMPT_STATES, AttemptState, InboxState, MessageState, StepState


def next_moment(context: Context) -> datetime | None:
    """The next moment at which Recoup has something to do by itself; None when nothing is planned."""
    with context.database.system() as session:
        moment: datetime | None = session.scalar(*_next_moment())
        return moment


@prepared
def _next_moment() -> Select[datetime]:
    queries = (
        select(func.min(Step.due_at)).where(Step.state == StepState.PLANNED),
        select(func.min(Message.next_try_at)).where(Message.state.in_((MessageState.PLANNED, MessageState.UNKNOWN))),
        select(func.min(ChargeAttempt.next_check_at)),
        select(func.min(InboxEvent.next_try_at)).where(InboxEvent.state == InboxState.RECEIVED),
    )
    return select(func.least(*(query.scalar_subquery() for query in queries)))


def is_at_rest(context: Context) -> bool:
    """Whether nothing that is due by now is left undone, and nobody is at work.

    A charge whose answer has not come stays unanswered until it is asked after; that alone is rest, too.
    """
    with context.database.system() as session:
        return not session.scalar(*_is_anything_due(context.clock.now()))


@prepared
def _is_anything_due(now: datetime) -> Select[bool]:
    at_work = (
        exists().where(Step.state.in_((StepState.CLAIMED, StepState.RUNNING))),
        exists().where(Step.state == StepState.PLANNED, Step.due_at <= now),
        exists().where(InboxEvent.state == InboxState.RECEIVED, InboxEvent.next_try_at <= now),
        exists().where(InboxEvent.state == InboxState.RECEIVED, InboxEvent.lease_token.is_not(None)),
        exists().where(Message.state == MessageState.CLAIMED),
        exists().where(Message.state == MessageState.PLANNED, Message.next_try_at <= now),
        exists().where(ChargeAttempt.state == AttemptState.CHARGING),
        exists().where(ChargeAttempt.state.in_(OPEN_ATTEMPT_STATES), ChargeAttempt.next_check_at <= now),
    )
    return select(or_(*at_work))
