"""What one person has been sent of late, by Recoup and, as far as it is known, by Stripe itself.

A person is an address: two customers with one address are one person, two contacts of a customer are two. Stripe tells
of an invoice that it mailed (`invoice.sent`); of its mails about failed payments it tells nobody, so each try of its
own that failed counts as one where the operator has said that these mails are on.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.db import prepared
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
    at_main = customer.id if message.addressee is None else None
    ours = session.execute(*_ours(message.id, address.lower() if address else None, at_main, since))
    found = [Written(at, is_answer=MailKind(kind) in ANSWERS) for at, kind in ours if at]
    if message.addressee is None and address == customer.email:  # Stripe knows no other address
        found += [Written(at) for at in _by_stripe(session, connection, customer, since)]
    return tuple(found)


@prepared
def _ours(but: UUID, address: str | None, customer_id: UUID | None, since: datetime) -> Select[datetime | None, str]:
    """To the same address under whatever customer; or to the customer's main one, also when it was another one then.

    None for either is equal to nothing.
    """
    same = func.lower(Message.recipient) == address
    at_main = and_(Message.customer_id == customer_id, Message.addressee.is_(None))
    left = select(Message.claimed_at, Message.kind).where(Message.state.in_(LEFT), Message.claimed_at > since)
    return left.where(Message.id != but, or_(same, at_main))


def _by_stripe(session: Session, connection: Connection, customer: Customer, since: datetime) -> Iterator[datetime]:
    mailed = session.scalars(*_mailed(connection.id, customer.stripe_id, since))
    yield from (moment for moment in mailed if moment)
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


@prepared
def _mailed(connection_id: UUID, customer_stripe_id: str, since: datetime) -> Select[datetime | None]:
    of_customer = Invoice.connection_id == connection_id, Invoice.customer_stripe_id == customer_stripe_id
    return select(Invoice.mailed_at).where(*of_customer, Invoice.mailed_at > since)
