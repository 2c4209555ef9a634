"""A promise to pay as its mails see it: is the day that was chosen still the day. How one is made is `recovery`'s.

A mail about a promise carries the promise in its key: `promise_confirmed:<hold>`.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.messages.words import Reason
from app.models import Hold, Message
from app.vocabulary import HoldKind


def key_for(kind: str, hold_id: UUID) -> str:
    """The key of the one mail of this kind about a promise."""
    return f"{kind}:{hold_id}"


def find_promise(session: Session, message: Message) -> Hold | None:
    """The promise that `message` is about."""
    _, _, rest = message.key.partition(":")
    try:
        hold = session.get(Hold, UUID(rest[:36]))
    except ValueError:
        return None
    return hold if hold is not None and hold.kind is HoldKind.PROMISE else None


def why_no_promise(session: Session, message: Message, now: datetime) -> Reason | None:
    """Why there is nothing to confirm any more: the promise was taken back, or its day has come."""
    hold = find_promise(session, message)
    is_over = hold is None or hold.released_at is not None or hold.until is None or hold.until <= now
    return Reason.PROMISE_OVER if is_over else None
