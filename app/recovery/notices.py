"""Mails that answer a promise: that it is noted, and that its day has passed without the money.

Called inside the transaction that wrote the promise or its breaking down; the outbox does the rest. Refuses to know
which days can be promised, and when a promise is broken.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.messages import outbox
from app.messages.cadence import MailKind
from app.messages.promises import key_for
from app.models import CampaignVersion, RecoveryCase
from app.recovery import mail_steps
from app.recovery.campaigns import read_definition
from app.vocabulary import OPEN_CASE_STATES


def confirm_promise(session: Session, case: RecoveryCase, hold_id: UUID, now: datetime) -> None:
    """Tell the customer that their day is noted, once for each promise."""
    kind = MailKind.PROMISE_CONFIRMED
    outbox.queue(session, case=case, key=key_for(kind, hold_id), kind=kind, step_id=None, now=now)


def tell_of_broken_promise(session: Session, case: RecoveryCase, hold_id: UUID, now: datetime) -> None:
    """Write to everybody who is written to that the day has passed, unless the campaign has a mail of its own for it,
    leaves this customer alone, or writes no mails at all."""
    if case.state not in OPEN_CASE_STATES:
        return
    definition = read_definition(session.get_one(CampaignVersion, case.campaign_version_id))
    says_it_itself = any(message.on == "promise_broken" for message in definition.messages)
    if not definition.messages or says_it_itself or mail_steps.is_excluded(session, case, definition):
        return
    kind = MailKind.PROMISE_BROKEN
    outbox.queue_for_all(session, case=case, key=key_for(kind, hold_id), kind=kind, step_id=None, now=now)
