"""Finds the messages that were left behind: planned and never looked at, claimed by a process that died, unknown.

Runs in the clock process, across organizations, and any number of clocks may run it at once.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.db import prepared
from app.messages.outcome import MOST_SENDS
from app.models import Message
from app.vocabulary import MessageState

RING_AGAIN = timedelta(seconds=60)
RESEND_AFTER = timedelta(minutes=30)
UNFINISHED = (MessageState.PLANNED, MessageState.CLAIMED, MessageState.UNKNOWN)
NO_ANSWER = "no_answer_in_time"


def sweep_due(
    session: Session, now: datetime, limit: int, resend_after: timedelta = RESEND_AFTER
) -> list[tuple[UUID, UUID]]:
    """(organization, message) of those to ring for, at most `limit`; needs the system session.

    A claim whose lease is over becomes unknown, to be sent again once after `resend_after`. Every row that is returned
    is left alone for a minute, so that another clock does not ring for it too.
    """
    rings = []
    for message in session.scalars(*_due(now, limit)):
        if message.state is MessageState.CLAIMED:
            _expire(message, now, resend_after)
        else:
            message.next_try_at = now + RING_AGAIN
            rings.append((message.organization_id, message.id))
    return rings


@prepared
def _due(now: datetime, limit: int) -> Select[Message]:
    due = select(Message).where(Message.state.in_(UNFINISHED), Message.next_try_at <= now)
    return due.order_by(Message.next_try_at).limit(limit).with_for_update(skip_locked=True)


def _expire(message: Message, now: datetime, resend_after: timedelta) -> None:
    message.state = MessageState.UNKNOWN
    message.unknown_at = now
    message.reason = NO_ANSWER
    message.next_try_at = now + resend_after if message.sends < MOST_SENDS else None
