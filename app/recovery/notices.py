"""Mails that answer a promise: that it is noted, and that its day has passed without the money.

Called inside the transaction that wrote the promise or its breaking down; the outbox does the rest. Refuses to know
which days can be promised, and when a promise is broken.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.messages import outbox
from app.messages.cadence import MailKind
from app.messages.promises import key_for
from app.models import Message, RecoveryCase
from app.recovery import mail_steps
from app.recovery.campaigns import definition_of
from app.vocabulary import OPEN_CASE_STATES, MessageState

ONE_DAY = timedelta(days=1)


def confirm_promise(session: Session, case: RecoveryCase, hold_id: UUID, now: datetime) -> None:
    """Tell the customer that their day is noted, once for each promise."""
    kind = MailKind.PROMISE_CONFIRMED
    outbox.queue(session, case=case, key=key_for(kind, hold_id), kind=kind, step_id=None, now=now)


def tell_of_broken_promise(session: Session, case: RecoveryCase, hold_id: UUID, now: datetime) -> None:
    """Write to everybody who is written to that the day has passed, unless the campaign has a mail of its own for it,
    leaves this customer alone, or writes no mails at all. One day promised for several invoices passes in one mail."""
    if case.state not in OPEN_CASE_STATES:
        return
    definition = definition_of(session, case.campaign_version_id)
    says_it_itself = any(message.on == "promise_broken" for message in definition.messages)
    if not definition.messages or says_it_itself or mail_steps.is_excluded(session, case, definition):
        return
    kind = MailKind.PROMISE_BROKEN
    if _is_told_with_another(session, case, now):
        return
    outbox.queue_for_all(session, case=case, key=key_for(kind, hold_id), kind=kind, step_id=None, now=now)


def _is_told_with_another(session: Session, case: RecoveryCase, now: datetime) -> bool:
    """Whether the mail about another invoice of this customer, whose day has just passed as well, names this one."""
    # Of two that pass in the same second one must see the other.
    turn = func.hashtextextended(f"promise_broken:{case.customer_id}", 0)
    session.execute(select(func.pg_advisory_xact_lock(turn)))
    told = select(Message.id).where(
        Message.customer_id == case.customer_id,
        Message.case_id != case.id,
        Message.kind == MailKind.PROMISE_BROKEN,
        Message.state != MessageState.SKIPPED,
        Message.planned_at > now - ONE_DAY,
    )
    return session.scalar(told.limit(1)) is not None
