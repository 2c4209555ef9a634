"""Reads, in one transaction, everything that decides whether a mail may go. The deciding itself is the cadence's."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.messages import suppression
from app.messages.cadence import CHASING, CurrentHold, MailKind, Situation
from app.messages.facts import Conversation
from app.models import Connection, Customer, Hold, Message, Step
from app.vocabulary import CaseOrigin, MessageState

LEFT = (MessageState.CLAIMED, MessageState.UNKNOWN, MessageState.ACCEPTED, MessageState.DELIVERED)
"""Messages that have, or may have, reached somebody."""


def address_of(session: Session, customer_id: UUID) -> str | None:
    """Where mails to this customer go."""
    return session.scalar(select(Customer.email).where(Customer.id == customer_id))


def read(session: Session, rows: Conversation, message: Message, now: datetime) -> Situation:
    """The situation of `message` at `now`."""
    connection = session.get_one(Connection, rows.case.connection_id)
    address = rows.customer.email
    snapshot = rows.snapshot
    return Situation(
        kind=MailKind(message.kind),
        due_at=_due_at(session, message),
        address=address,
        case_state=rows.case.state,
        invoice_status=rows.invoice.status,
        connection_status=connection.status,
        is_suppressed=bool(address) and suppression.is_suppressed(session, str(address)),
        is_customer_deleted=rows.customer.deleted,
        holds=_holds(session, rows, now),
        last_written_at=_last_written_at(session, rows, message),
        told_at=_told_at(session, message),
        named_at=_named_at(session, rows, message),
        final_action=snapshot.state if snapshot else None,
        changed_at=(snapshot.restored_at or snapshot.done_at) if snapshot else None,
    )


def _due_at(session: Session, message: Message) -> datetime:
    """When the mail should have gone: when its step was due, which may be long before a worker came to plan it."""
    due = session.scalar(select(Step.due_at).where(Step.id == message.step_id)) if message.step_id else None
    return min(due or message.planned_at, message.planned_at)


def _holds(session: Session, rows: Conversation, now: datetime) -> tuple[CurrentHold, ...]:
    current = select(Hold.kind, Hold.until).where(
        Hold.customer_id == rows.customer.id,
        or_(Hold.case_id.is_(None), Hold.case_id == rows.case.id),
        Hold.released_at.is_(None),
        Hold.begins_at <= now,
        or_(Hold.until.is_(None), Hold.until > now),
    )
    return tuple(CurrentHold(kind, until) for kind, until in session.execute(current))


def _last_written_at(session: Session, rows: Conversation, message: Message) -> datetime | None:
    """When any other mail last left to this person: the same customer, or the same address under another one."""
    same_person = [Message.customer_id == rows.customer.id]
    if rows.customer.email:
        same_person.append(func.lower(Message.recipient) == rows.customer.email.lower())
    return session.scalar(
        select(func.max(Message.claimed_at)).where(Message.id != message.id, Message.state.in_(LEFT), or_(*same_person))
    )


def _named_at(session: Session, rows: Conversation, message: Message) -> datetime | None:
    """When a mail about another debt of this customer last left that named this one, too: many old debts that become
    cases on one day are one conversation, and not a mail each."""
    if rows.case.origin is not CaseOrigin.OLD_DEBT:
        return None
    return session.scalar(
        select(func.max(Message.claimed_at)).where(
            Message.customer_id == rows.customer.id,
            Message.case_id != message.case_id,
            Message.kind.in_(CHASING),
            Message.state.in_(LEFT),
            Message.claimed_at >= rows.case.opened_at,
        )
    )


def _told_at(session: Session, message: Message) -> datetime | None:
    return session.scalar(
        select(func.max(Message.claimed_at)).where(
            Message.case_id == message.case_id,
            Message.kind == message.kind,
            Message.id != message.id,
            Message.state.in_(LEFT),
        )
    )
