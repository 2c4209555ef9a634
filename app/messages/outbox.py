"""The outbox: every mail is a row before it leaves, and its outcome is a row after.

Two short transactions around the call: the first decides anew (the case is re-read), writes the mail and claims it
under a token; the second records the answer only for the holder of that token. What happened between them and left no
answer is `unknown`: a provider's event resolves it, else it is sent once more. Knows no wording and no sender.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

import emails
from app.context import Context
from app.db import after_commit
from app.errors import RecoupError
from app.failpoints import failpoint
from app.log import get_logger
from app.messages import outcome, situation
from app.messages.addresses import on_the_wire
from app.messages.cadence import Later, MailKind, Send, Skip, decide
from app.messages.facts import Conversation, mail_facts, read_conversation
from app.messages.senders.choice import sender_for
from app.messages.senders.port import OutgoingMail, Sender, SenderBusy, SenderRefused, SenderSilent
from app.models import Message, RecoveryCase
from app.settings import Settings
from app.vocabulary import MessageState

log = get_logger(__name__)

LEASE = timedelta(seconds=60)


class MessageMissing(RecoupError):
    """There is no such message in this organization (its customer may have been erased)."""


@dataclass(frozen=True)
class Claim:
    """A mail that is ours to send, under a token that nobody else holds."""

    token: UUID
    mail: OutgoingMail


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
        next_try_at=now,
        tries=0,
        sends=0,
    )
    session.execute(row.on_conflict_do_nothing(index_elements=[Message.case_id, Message.key]))
    after_commit(session, lambda: failpoint("message.planned"))
    return session.scalars(select(Message).where(Message.case_id == case.id, Message.key == key)).one()


def deliver(context: Context, organization_id: UUID, message_id: UUID, sender: Sender | None = None) -> MessageState:
    """Send one message if it is to be sent now, and say what state it is in afterwards.

    Harmless to call at any time and by many at once. Raises `MessageMissing`, and whatever the database raises.
    """
    sender = sender or sender_for(context.settings)
    with context.database.organization(organization_id) as session:
        message = _lock(session, message_id)
        claim = _claim(session, context.settings, message, sender, context.clock.now())
        state = message.state
    if claim is None:
        return state
    failpoint("message.intention_committed")
    answer = _send(sender, claim.mail, context.clock.now())
    failpoint("message.answered")
    with context.database.organization(organization_id) as session:
        state = outcome.record(session, message_id, claim.token, answer, context.settings, context.clock.now())
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


def _claim(session: Session, settings: Settings, message: Message, sender: Sender, now: datetime) -> Claim | None:
    """Decide, and take the message if it is to go; None where it is not to go now."""
    if not _is_to_be_looked_at(message, settings, now):
        return None
    rows = read_conversation(session, session.get_one(RecoveryCase, message.case_id))
    decision = decide(situation.read(session, rows, message, now), now)
    if isinstance(decision, Send):
        return _write(session, settings, rows, message, sender, now)
    if isinstance(decision, Skip):
        outcome.give_up(session, message, decision.reason, now)
    else:
        _postpone(message, decision)
    return None


def _is_to_be_looked_at(message: Message, settings: Settings, now: datetime) -> bool:
    if message.state is MessageState.PLANNED:
        return True
    if message.state is not MessageState.UNKNOWN or message.claimed_at is None or message.next_try_at is None:
        return False
    # Measured from the send itself: the sweep moves `next_try_at` whenever it rings.
    has_waited = message.claimed_at + timedelta(minutes=settings.resend_unknown_after_minutes) <= now
    return has_waited and message.sends < outcome.MOST_SENDS


def _postpone(message: Message, decision: Later) -> None:
    message.next_try_at = decision.until
    message.reason = decision.reason


def _write(
    session: Session, settings: Settings, rows: Conversation, message: Message, sender: Sender, now: datetime
) -> Claim | None:
    kind = MailKind(message.kind)
    try:
        written = emails.render(kind, mail_facts(session, settings, rows, kind, now))
    except RecoupError as problem:
        # A setting or a translation that somebody will put right; the mail is not lost meanwhile.
        log.error("message.not_written", message=str(message.id), problem=type(problem).__name__)
        message.tries += 1
        outcome.put_back(message, f"not_written:{type(problem).__name__}", now)
        return None
    organization = rows.organization
    message.recipient = rows.customer.email
    message.locale = rows.locale
    message.subject, message.text_body, message.html_body = written.subject, written.text, written.html
    message.sender = sender.name
    message.state = MessageState.CLAIMED
    message.reason = None
    message.lease_token = uuid4()
    message.claimed_at = now
    message.next_try_at = now + LEASE
    message.tries += 1
    message.sends += 1
    mail = OutgoingMail(
        organization_id=message.organization_id,
        message_id=message.id,
        send_number=message.sends,
        moment=now,
        kind=message.kind,
        from_name=organization.sender_name or organization.name,
        from_email=organization.sender_email or settings.mail_from,
        reply_to=organization.reply_to or organization.support_email,
        to=on_the_wire(str(message.recipient)),
        subject=written.subject,
        text=written.text,
        html=written.html,
        locale=rows.locale,
    )
    return Claim(message.lease_token, mail)


def _send(sender: Sender, mail: OutgoingMail, now: datetime) -> outcome.Answer:
    if now >= mail.moment + LEASE:
        # This process slept through its lease; somebody else may be sending the mail by now.
        return SenderBusy("lease_ran_out")
    try:
        return outcome.Taken(sender.send(mail), sender.delivers_at_once)
    except (SenderRefused, SenderBusy, SenderSilent) as problem:
        return problem
