"""Taking one message to send: decide anew, write the mail, claim the row. Runs in one transaction, calls nobody."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

import emails
from app.errors import RecoupError
from app.links import MailLink, make_unsubscribe_url
from app.log import get_logger
from app.messages import outcome
from app.messages.addresses import on_the_wire
from app.messages.branding import envelope_of
from app.messages.cadence import CAN_BE_REFUSED, Later, MailKind, Send, Skip, decide
from app.messages.senders.port import OutgoingMail
from app.messages.subjects import Subject, subject_of
from app.messages.wording import own_texts
from app.models import Message
from app.settings import Settings
from app.vocabulary import MessageState

log = get_logger(__name__)

LEASE = timedelta(seconds=45)  # a sender answers within 15, so whoever took longer is dead


@dataclass(frozen=True)
class Claim:
    """A mail that is ours to send until `until`, under a token that nobody else holds."""

    token: UUID
    until: datetime
    mail: OutgoingMail


def claim(session: Session, settings: Settings, message: Message, sender: str, now: datetime) -> Claim | None:
    """Take `message`, which the caller has locked, for the sender of that name; None where it is not to go now.

    Whatever the decision is, it is written to the row.
    """
    if not _is_to_be_looked_at(message, settings, now):
        return None
    subject = subject_of(session, message)
    situation = subject.situation(now)
    decision = decide(situation, now)
    if isinstance(decision, Send):
        return _write(session, settings, subject, message, str(situation.address), sender, now)
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
    session: Session, settings: Settings, subject: Subject, message: Message, address: str, sender: str, now: datetime
) -> Claim | None:
    try:
        way_out = _way_out(settings, message)
        facts = replace(subject.facts(settings, now), unsubscribe_url=way_out)
        wording = own_texts(session, facts.locale)
        written = emails.render(message.kind, facts, wording=wording, variant=message.variant)
    except RecoupError as problem:
        # A setting or a translation that somebody will put right; the mail is not lost meanwhile.
        log.error("message.not_written", message=str(message.id), problem=type(problem).__name__)
        message.tries += 1
        outcome.put_back(message, f"not_written:{type(problem).__name__}", now)
        return None
    if written.left_out:
        # Ours were said instead; the console lists them until somebody mends them.
        log.warning("message.own_texts_left_out", message=str(message.id), keys=list(written.left_out))
    message.recipient = address
    message.locale = subject.locale
    message.subject, message.text_body, message.html_body = written.subject, written.text, written.html
    token = _take(message, sender, now)
    return Claim(token, now + LEASE, _outgoing(message, subject, settings, written, way_out, now))


def _way_out(settings: Settings, message: Message) -> str | None:
    """Where the reader of a reminder says that they want no more of them."""
    if MailKind(message.kind) not in CAN_BE_REFUSED:
        return None
    link = MailLink(message.organization_id, message.id)
    return make_unsubscribe_url(settings.base_url(), settings.require("secret_key"), link)


def _take(message: Message, sender: str, now: datetime) -> UUID:
    token = uuid4()
    message.state = MessageState.CLAIMED
    message.reason = None
    message.sender = sender
    message.lease_token = token
    message.claimed_at = now
    message.next_try_at = now + LEASE
    message.tries += 1
    message.sends += 1
    return token


def _outgoing(
    message: Message,
    subject: Subject,
    settings: Settings,
    written: emails.RenderedMail,
    way_out: str | None,
    now: datetime,
) -> OutgoingMail:
    envelope = envelope_of(subject.organization, settings.mail_from)
    return OutgoingMail(
        organization_id=message.organization_id,
        message_id=message.id,
        send_number=message.sends,
        moment=now,
        kind=message.kind,
        from_name=envelope.from_name,
        from_email=envelope.from_email,
        reply_to=envelope.reply_to,
        to=on_the_wire(str(message.recipient)),
        subject=written.subject,
        text=written.text,
        html=written.html,
        locale=subject.locale,
        unsubscribe_url=way_out,
    )
