"""A mail about nobody, to the very person who edits its texts: leaves through the configured sender, counts nowhere.

There is no message row, so no customer's timeline, no contact rule and no report ever hears of it; a provider's events
about it find nothing. What limits it is the audit, where every one is written before it leaves.
"""

from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.context import Context
from app.errors import RecoupError
from app.messages.addresses import is_address, on_the_wire
from app.messages.branding import envelope_of
from app.messages.senders.choice import sender_for
from app.messages.senders.port import OutgoingMail, Sender
from app.messages.wording import Author
from app.models import AuditEntry, Organization
from emails import RenderedMail

SENT = "mail.test_sent"
MOST, WITHIN = 10, timedelta(hours=1)
MARK = "[Test] "


class NoAddress(RecoupError):
    """The one who wants a test signs in with something that no mail can be sent to."""


class TooManyTrials(RecoupError):
    """This person has sent themselves enough of them for now."""


def announce(session: Session, kind: str, language: str, by: Author, now: datetime) -> None:
    """Write down that `by` sends themselves a test, in the transaction before it leaves. Raises `TooManyTrials`."""
    session.execute(select(Organization.id).with_for_update(key_share=True))
    sent = select(func.count(AuditEntry.id)).where(
        AuditEntry.action == SENT, AuditEntry.user_id == by.user_id, AuditEntry.happened_at > now - WITHIN
    )
    if (session.scalar(sent) or 0) >= MOST:
        raise TooManyTrials(f"You have sent yourself {MOST} tests within an hour; the preview shows the same.")
    session.add(
        AuditEntry(
            organization_id=session.info["organization_id"],
            actor=by.name,
            user_id=by.user_id,
            action=SENT,
            subject=f"mails in {language}",
            happened_at=now,
            data={"kind": kind},
        )
    )


def send(
    context: Context,
    organization: Organization,
    mail: RenderedMail,
    kind: str,
    to: str,
    now: datetime,
    sender: Sender | None = None,
) -> str:
    """Hand a test to the configured sender, outside any transaction; the sender's name.

    Raises `NoAddress`, and what senders raise (`app.messages.senders.port`), `SenderMisconfigured` among them.
    """
    if not is_address(to):
        raise NoAddress("The name you sign in with is no address that a mail can be sent to.")
    sender = sender or sender_for(context.settings)
    envelope = envelope_of(organization, context.settings.mail_from)
    sender.send(
        OutgoingMail(
            organization_id=organization.id,
            message_id=uuid4(),
            send_number=1,
            moment=now,
            kind=f"test.{kind}",
            from_name=envelope.from_name,
            from_email=envelope.from_email,
            reply_to=envelope.reply_to,
            to=on_the_wire(to),
            subject=f"{MARK}{mail.subject}",
            text=mail.text,
            html=mail.html,
            locale=mail.language,
        )
    )
    return sender.name
