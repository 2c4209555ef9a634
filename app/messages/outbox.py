"""The outbox: every mail is a row before it leaves, and its outcome is a row after.

Two short transactions around the call: the first decides anew (the case is re-read), writes the mail and claims it
under a token; the second records the answer only for the holder of that token. What happened between them and left no
answer is `unknown`: a provider's event resolves it, else it is sent once more. Knows no wording and no sender.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

import emails
from app.context import Context
from app.errors import RecoupError
from app.failpoints import failpoint
from app.log import get_logger
from app.messages import outcome, situation
from app.messages.claiming import Claim, claim
from app.messages.senders.choice import sender_for
from app.messages.senders.port import Sender, SenderBusy, SenderRefused, SenderSilent
from app.models import Message, RecoveryCase
from app.vocabulary import MessageState

log = get_logger(__name__)

# The one who plans a mail usually delivers it at once; the sweep comes in when that did not happen.
FIRST_SWEEP_AFTER = timedelta(seconds=15)


class MessageMissing(RecoupError):
    """There is no such message in this organization (its customer may have been erased)."""


def queue(session: Session, *, case: RecoveryCase, key: str, kind: str, step_id: UUID | None, now: datetime) -> Message:
    """Plan one mail of `case`. `key` is unique in the case: asking again gives the message that is there already.

    Flushes, and neither commits nor rings. Raises `emails.UnknownMail`.
    """
    if kind not in emails.kinds:
        raise emails.UnknownMail(f"there is no mail called {kind}; there are {', '.join(emails.kinds)}")
    row = insert(Message).values(
        id=uuid4(),
        organization_id=case.organization_id,
        case_id=case.id,
        customer_id=case.customer_id,
        step_id=step_id,
        key=key,
        kind=kind,
        state=MessageState.PLANNED,
        planned_at=now,
        next_try_at=now + FIRST_SWEEP_AFTER,
        tries=0,
        sends=0,
    )
    session.execute(row.on_conflict_do_nothing(index_elements=[Message.case_id, Message.key]))
    return session.scalars(select(Message).where(Message.case_id == case.id, Message.key == key)).one()


def deliver(context: Context, organization_id: UUID, message_id: UUID, sender: Sender | None = None) -> MessageState:
    """Send one message if it is to be sent now, and say what state it is in afterwards.

    Harmless to call at any time and by many at once. Raises `MessageMissing`, and whatever the database raises.
    """
    sender = sender or sender_for(context.settings)
    with context.database.organization(organization_id) as session:
        message = _lock(session, message_id)
        mine = claim(session, context.settings, message, sender.name, context.clock.now())
        state = message.state
    if mine is None:
        return state
    failpoint("message.intention_committed")
    answer = _send(sender, mine, context.clock.now())
    failpoint("message.answered")
    with context.database.organization(organization_id) as session:
        state = outcome.record(session, message_id, mine.token, answer, context.settings, context.clock.now())
        failpoint("message.outcome_uncommitted")
    failpoint("message.outcome_committed")
    log.info("message.answered", message=str(message_id), state=state, sender=sender.name)
    return state


def _lock(session: Session, message_id: UUID) -> Message:
    """The message, locked; and before it whoever else writes to this customer, so that two mails cannot both find
    that nobody was written to today."""
    customer_id = session.scalar(select(Message.customer_id).where(Message.id == message_id))
    if customer_id is None:
        raise MessageMissing(f"there is no message {message_id}")
    address = situation.address_of(session, customer_id)
    conversation = f"message:{session.info['organization_id']}:{(address or str(customer_id)).lower()}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(conversation, 0))))
    locked = session.scalars(select(Message).where(Message.id == message_id).with_for_update()).first()
    if locked is None:
        raise MessageMissing(f"there is no message {message_id}")
    return locked


def _send(sender: Sender, mine: Claim, now: datetime) -> outcome.Answer:
    if now >= mine.until:
        # This process slept through its lease; somebody else may be sending the mail by now.
        return SenderBusy("lease_ran_out")
    try:
        return outcome.Taken(sender.send(mine.mail), sender.delivers_at_once)
    except (SenderRefused, SenderBusy, SenderSilent) as problem:
        return problem
