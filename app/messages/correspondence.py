"""What one person has been sent of late, by Recoup and, as far as it is known, by Stripe itself.

A person is an address: two customers with one address are one person, two contacts of a customer are two. Stripe tells
of an invoice that it mailed (`invoice.sent`); of its mails about failed payments it tells nobody, so each try of its
own that failed counts as one where the operator has said that these mails are on.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from app.messages.cadence import ANSWERS, MailKind, Written
from app.models import ChargeAttempt, Connection, Customer, Invoice, Message, RecoveryCase
from app.vocabulary import AttemptSource, AttemptState, MessageState

LEFT = (MessageState.CLAIMED, MessageState.UNKNOWN, MessageState.ACCEPTED, MessageState.DELIVERED)
"""Messages that have, or may have, reached somebody."""

_FAILED = (AttemptState.DECLINED, AttemptState.REQUIRES_ACTION)


def written_since(
    session: Session,
    connection: Connection,
    customer: Customer,
    address: str | None,
    message: Message,
    since: datetime,
) -> tuple[Written, ...]:
    """Every mail but `message` that left after `since` to the person whom `message` is for."""
    ours = session.execute(
        select(Message.claimed_at, Message.kind).where(
            Message.id != message.id,
            Message.state.in_(LEFT),
            Message.claimed_at > since,
            _same_person(customer.id, address, message),
        )
    )
    found = [Written(at, is_answer=MailKind(kind) in ANSWERS) for at, kind in ours if at]
    if message.addressee is None and address == customer.email:  # Stripe knows no other address
        found += [Written(at) for at in _by_stripe(session, connection, customer, since)]
    return tuple(found)


def _same_person(customer_id: UUID, address: str | None, message: Message) -> ColumnElement[bool]:
    """The same address under whatever customer; or the customer's main address, also when it was another one then."""
    same = [func.lower(Message.recipient) == address.lower()] if address else []
    if message.addressee is None:
        same.append(and_(Message.customer_id == customer_id, Message.addressee.is_(None)))
    return or_(*same)


def _by_stripe(session: Session, connection: Connection, customer: Customer, since: datetime) -> Iterator[datetime]:
    mailed = select(Invoice.mailed_at).where(
        Invoice.connection_id == connection.id,
        Invoice.customer_stripe_id == customer.stripe_id,
        Invoice.mailed_at > since,
    )
    yield from (moment for moment in session.scalars(mailed) if moment)
    if connection.stripe_mails:
        failed = (
            select(ChargeAttempt.started_at)
            .join(RecoveryCase, RecoveryCase.id == ChargeAttempt.case_id)
            .where(
                RecoveryCase.customer_id == customer.id,
                ChargeAttempt.source == AttemptSource.STRIPE,
                ChargeAttempt.state.in_(_FAILED),
                ChargeAttempt.started_at > since,
            )
        )
        yield from session.scalars(failed)
