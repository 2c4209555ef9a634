"""Reads, in one transaction, everything that decides whether a mail may go. The deciding itself is the cadence's."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from app.campaigns.contact import ContactRules
from app.campaigns.stored import read_stored
from app.db import get_row, prepared
from app.messages import pauses, recipients, suppression
from app.messages.cadence import CHASING, CurrentHold, MailKind, Situation
from app.messages.choices import cases_of_choice
from app.messages.correspondence import LEFT, written_since
from app.messages.facts import Conversation
from app.messages.promises import why_no_promise
from app.messages.zones import read_zone
from app.models import (
    Campaign,
    CampaignVersion,
    Connection,
    Customer,
    Hold,
    Message,
    Organization,
    Step,
)
from app.vocabulary import HoldKind


def read(session: Session, rows: Conversation, message: Message, now: datetime) -> Situation:
    """The situation of `message`, which is about a case, at `now`."""
    case, snapshot = rows.case, rows.snapshot
    connection = get_row(session, Connection, case.connection_id)
    rules = read_stored(rows.version.definition).contact
    promised = why_no_promise(session, message, now) if message.kind == MailKind.PROMISE_CONFIRMED else None
    return Situation(
        **of_person(session, connection, rows.customer, message, rules, now),
        kind=MailKind(message.kind),
        due_at=due_at(session, message),
        case_state=case.state,
        invoice_status=rows.invoice.status,
        untrue=promised,
        holds=holds_on(session, rows.customer, case.id, now),
        told_at=_told_at(session, rows, message),
        named_at=_named_at(session, rows, message),
        final_action=snapshot.state if snapshot else None,
        changed_at=(snapshot.restored_at or snapshot.done_at) if snapshot else None,
    )


def of_person(
    session: Session, connection: Connection, customer: Customer, message: Message, rules: ContactRules, now: datetime
) -> dict[str, Any]:
    """What is so of whom `message` is for, whatever it is about: address, sleep, and what they have been sent."""
    contacts = recipients.contacts_of(session, customer)
    address = message.addressee or next((one.address for one in contacts if one.is_main), None)
    everybody = {one.address.lower() for one in contacts}
    organization = session.get_one(Organization, customer.organization_id)
    since = now - max(pauses.WEEK, timedelta(hours=rules.gap_hours))
    return {
        "address": address,
        "rules": rules,
        "zone": read_zone(session, customer, organization),
        "written": written_since(session, connection, customer, address, message, since),
        "connection_status": connection.status,
        "suppressed": suppression.find_reason(session, address) if address else None,
        "is_a_contact": message.addressee is None or message.addressee.lower() in everybody,
        "is_customer_deleted": customer.deleted,
    }


def address_for(session: Session, customer: Customer, message: Message) -> str | None:
    """Where `message` goes: to the contact it was planned for, else to the customer's main address."""
    return message.addressee or recipients.main_address(session, customer)


def standing_rules(session: Session) -> ContactRules:
    """The contact rules for what has no campaign of its own: those of the default one."""
    newest = (
        select(CampaignVersion.definition)
        .join(Campaign, Campaign.id == CampaignVersion.campaign_id)
        .where(Campaign.is_default, Campaign.archived_at.is_(None))
        .order_by(CampaignVersion.number.desc())
        .limit(1)
    )
    definition = session.scalar(newest)
    return read_stored(definition).contact if definition else ContactRules()


def holds_on(session: Session, customer: Customer, case_id: UUID | None, now: datetime) -> tuple[CurrentHold, ...]:
    """The holds in force on all of a customer's, and on one case where there is one."""
    return tuple(CurrentHold(kind, until) for kind, until in session.execute(*_holds(customer.id, case_id, now)))


@prepared
def _holds(customer_id: UUID, case_id: UUID | None, now: datetime) -> Select[HoldKind, datetime | None]:
    return select(Hold.kind, Hold.until).where(
        Hold.customer_id == customer_id,
        or_(Hold.case_id.is_(None), Hold.case_id == case_id),
        Hold.released_at.is_(None),
        Hold.begins_at <= now,
        or_(Hold.until.is_(None), Hold.until > now),
    )


def due_at(session: Session, message: Message) -> datetime:
    """When the mail should have gone: when its step was due, which may be long before a worker came to plan it."""
    due = session.scalar(*_step_due(message.step_id)) if message.step_id else None
    return min(due or message.planned_at, message.planned_at)


@prepared
def _step_due(step_id: UUID) -> Select[datetime]:
    return select(Step.due_at).where(Step.id == step_id)


def _named_at(session: Session, rows: Conversation, message: Message) -> datetime | None:
    """When a mail to this very address about another debt of the customer last left that named this one, too: several
    unpaid invoices are one conversation, and not a mail each. While a hold lay on it, this one was not named."""
    case, addressee = rows.case, message.addressee
    at: datetime | None = session.scalar(*_named(case.customer_id, case.id, case.opened_at, addressee))
    return at


@prepared
def _named(customer_id: UUID, case_id: UUID, opened_at: datetime, addressee: str | None) -> Select[datetime | None]:
    was_held = exists().where(
        Hold.case_id == case_id,
        Hold.begins_at <= Message.claimed_at,
        or_(Hold.until.is_(None), Hold.until > Message.claimed_at),
        or_(Hold.released_at.is_(None), Hold.released_at > Message.claimed_at),
    )
    return select(func.max(Message.claimed_at)).where(
        Message.customer_id == customer_id,
        Message.addressee.is_not_distinct_from(addressee),
        Message.case_id != case_id,
        Message.kind.in_(CHASING),
        Message.state.in_(LEFT),
        Message.claimed_at >= opened_at,
        ~was_held,
    )


def _told_at(session: Session, rows: Conversation, message: Message) -> datetime | None:
    """When the last other mail of this kind about the case left to the same address; a choice that ended several cases
    is one to tell of."""
    is_choice = message.kind == MailKind.CHOICE_CONFIRMED
    concerned = [case.id for case in cases_of_choice(session, rows.case)] if is_choice else [message.case_id]
    at: datetime | None = session.scalar(*_told(concerned, message.addressee, message.kind, message.id))
    return at


@prepared
def _told(case_ids: Sequence[UUID | None], addressee: str | None, kind: str, but: UUID) -> Select[datetime | None]:
    return select(func.max(Message.claimed_at)).where(
        Message.case_id.in_(case_ids),
        Message.addressee.is_not_distinct_from(addressee),
        Message.kind == kind,
        Message.id != but,
        Message.state.in_(LEFT),
    )
