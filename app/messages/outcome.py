"""What becomes of a message: the only places that move its state after it was planned, other than a provider's events.

Everything here writes to a row that the caller has locked, or locks it itself.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.db import prepared
from app.messages.senders.port import SenderBusy, SenderRefused, SenderSilent
from app.messages.timeline import note
from app.messages.words import Reason
from app.models import Message
from app.settings import Settings
from app.vocabulary import EntryKind, MessageState

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
MOST_SENDS = 2
UNANSWERED = (MessageState.CLAIMED, MessageState.UNKNOWN)


@dataclass(frozen=True)
class Taken:
    """The sender has the mail; `is_delivered` where nothing more will ever be heard."""

    provider_id: str | None
    is_delivered: bool


Answer = Taken | SenderRefused | SenderBusy | SenderSilent


def record(
    session: Session, message_id: UUID, token: UUID, answer: Answer, settings: Settings, now: datetime
) -> MessageState:
    """Write down what the sender answered, if `token` still holds the message; the state it is in afterwards.

    A late answer still counts when the lease has run out and nobody has sent again: it is what we know best. Where an
    event of the provider was faster, the message keeps the state that it gave.
    """
    message: Message = session.scalars(*_locked(message_id)).one()
    if message.lease_token != token:
        return message.state
    if isinstance(answer, Taken):
        message.provider_message_id = answer.provider_id
    if message.state not in UNANSWERED:
        return message.state
    if isinstance(answer, Taken):
        _accept(session, message, answer, now)
    elif isinstance(answer, SenderSilent):
        _leave_unknown(session, message, answer.reason, _resend_at(message, settings, now), now)
    else:
        _not_taken(session, message, answer, settings, now)
    return message.state


@prepared
def _locked(message_id: UUID) -> Select[Message]:
    return select(Message).where(Message.id == message_id).with_for_update()


def give_up(session: Session, message: Message, reason: Reason, now: datetime) -> None:
    """The message is not to go any more. One that may have gone already stays unknown and is not sent again."""
    message.reason = reason
    message.next_try_at = None
    if message.state is MessageState.UNKNOWN:
        note(session, message, EntryKind.DECISION, "mail_not_resent", f"not sent again: {reason}", now, now)
        return
    message.state = MessageState.SKIPPED
    note(session, message, EntryKind.DECISION, "mail_skipped", f"{message.kind} not sent: {reason}", now, now)


def put_back(message: Message, reason: str, now: datetime, at_least: timedelta | None = None) -> None:
    """Try again after a pause that doubles with every try, up to an hour (or as long as the provider asked)."""
    pause = min(FIRST_PAUSE * 2 ** min(max(message.tries - 1, 0), 6), LONGEST_PAUSE)
    message.reason = reason
    message.next_try_at = now + max(pause, at_least or pause)


def _accept(session: Session, message: Message, answer: Taken, now: datetime) -> None:
    message.state = MessageState.DELIVERED if answer.is_delivered else MessageState.ACCEPTED
    message.reason = None
    message.next_try_at = None
    message.accepted_at = now
    message.delivered_at = now if answer.is_delivered else None
    note(session, message, EntryKind.ACTION, "mail_sent", f"{message.kind} sent by {message.sender}", now, now)


def _resend_at(message: Message, settings: Settings, now: datetime) -> datetime | None:
    if message.sends >= MOST_SENDS:
        return None
    return now + timedelta(minutes=settings.resend_unknown_after_minutes)


def _leave_unknown(session: Session, message: Message, reason: str, resend_at: datetime | None, now: datetime) -> None:
    message.state = MessageState.UNKNOWN
    message.reason = reason
    message.unknown_at = now
    message.next_try_at = resend_at
    note(session, message, EntryKind.ACTION, "mail_unknown", f"{message.kind} left, no answer: {reason}", now, now)


def _not_taken(
    session: Session, message: Message, answer: SenderBusy | SenderRefused, settings: Settings, now: datetime
) -> None:
    """This send did not happen and is not counted. If an earlier one may have, the message is as unknown as before."""
    message.sends -= 1
    if message.sends > 0:
        resend_at = _resend_at(message, settings, now) if isinstance(answer, SenderBusy) else None
        _leave_unknown(session, message, answer.reason, resend_at, now)
    elif isinstance(answer, SenderBusy):
        message.state = MessageState.PLANNED
        put_back(message, answer.reason, now, answer.retry_after)
    else:
        message.state = MessageState.FAILED
        message.reason = answer.reason
        message.next_try_at = None
        note(session, message, EntryKind.ACTION, "mail_failed", f"{message.kind} refused: {answer.reason}", now, now)
