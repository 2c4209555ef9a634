"""Forgetting one customer for good: their cases and mails, the copies of what Stripe knows of them, their past.

What was counted with them is counted no more. Stripe is not asked: whoever is still there comes back with the next news
of them, so they are deleted at Stripe first. Addresses that must not be written to stay on their list, or they would be
written to again.
"""

import re
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from app.errors import RecoupError
from app.models import (
    AuditEntry,
    ChargeAttempt,
    Connection,
    Customer,
    InboxEvent,
    Invoice,
    PastAttempt,
    PastFailure,
    PaymentMethod,
    RecoveryCase,
    Subscription,
)
from app.recovery.operator import Person
from app.vocabulary import OPEN_CASE_STATES

_ID = re.compile(rb'"([a-z]+_\w+)"')  # as Stripe's ids stand in a body
_NO_BODY = zlib.compress(b"{}", 1)  # the event stays, or it would be missed and fetched again
_COPIES: tuple[type[Any], ...] = (Subscription, PaymentMethod, Invoice)


class CustomerUnknown(RecoupError):
    """Nothing is kept of such a customer."""


class StillOpen(RecoupError):
    """A case of this customer is open: what is planned for it would go on about somebody who was forgotten."""


@dataclass(frozen=True)
class Erased:
    """How many of each were forgotten; of `events` only what they said."""

    cases: int
    copies: int
    past_failures: int
    past_attempts: int
    events: int


def erase(session: Session, connection: Connection, customer_id: str, by: Person, now: datetime) -> Erased:
    """Forget the customer `customer_id` (Stripe's id) of a connection, and note that it was done; flushes.

    Raises `CustomerUnknown` and, while a case of theirs is open, `StillOpen`.
    """
    owner = session.scalar(select(Customer).where(*_of(Customer, connection), Customer.stripe_id == customer_id))
    cases = _cases(session, owner) if owner else []
    events = _blank_events(session, connection, customer_id, cases)
    past = _forget_past(session, connection, customer_id)
    if owner is not None:
        session.delete(owner)  # and with them, by foreign keys, cases, mails, holds and contacts
        session.flush()
    copies = sum(_forget(session, record, connection, customer_id) for record in _COPIES)
    if owner is None and not copies and not any(past):
        raise CustomerUnknown(f"nothing is kept of {customer_id}")
    erased = Erased(len(cases), copies, *past, events)
    session.add(
        AuditEntry(
            organization_id=connection.organization_id,
            actor=by.name,
            user_id=by.user_id,
            action="customer.erased",
            subject=customer_id,
            happened_at=now,
            data=vars(erased),
        )
    )
    session.flush()
    return erased


def _of(record: type[Any], connection: Connection) -> tuple[ColumnElement[bool], ...]:
    return (record.connection_id == connection.id,)


def _cases(session: Session, owner: Customer) -> list[RecoveryCase]:
    """Their cases, locked, so that nobody begins anything with one of them meanwhile."""
    query = select(RecoveryCase).where(RecoveryCase.customer_id == owner.id).with_for_update()
    cases = list(session.scalars(query))
    if any(case.state in OPEN_CASE_STATES for case in cases):
        raise StillOpen(f"{owner.stripe_id} has an open case: stop it in the console first")
    return cases


def _blank_events(session: Session, connection: Connection, customer_id: str, cases: list[RecoveryCase]) -> int:
    """Empty what webhooks said of them: whatever names the customer or something that belongs to the customer."""
    attempts = session.execute(
        select(ChargeAttempt.charge_id, ChargeAttempt.payment_intent_id).where(
            ChargeAttempt.case_id.in_([case.id for case in cases])
        )
    )
    past = select(PastAttempt.charge_id).where(*_of(PastAttempt, connection), _is_past_of(connection, customer_id))
    ids = {customer_id, *(part for row in attempts for part in row if part), *session.scalars(past)}
    for record in _COPIES:
        named = select(record.stripe_id).where(*_of(record, connection), record.customer_stripe_id == customer_id)
        ids |= set(session.scalars(named))
    blanked = (
        update(InboxEvent)
        .where(InboxEvent.id.in_(_naming(session, connection, ids)))
        .values(body=_NO_BODY, object_id=None)
        .returning(InboxEvent.id)
    )
    return len(session.scalars(blanked).all())


def _naming(session: Session, connection: Connection, ids: set[str]) -> list[int]:
    """The events that are about one of `ids` or name one anywhere: an invoice to come has no id of its own, and a
    finished checkout tells the address of whoever finished it.
    """
    wanted = {name.encode() for name in ids}
    events = select(InboxEvent.id, InboxEvent.object_id, InboxEvent.body).where(*_of(InboxEvent, connection))
    rows = session.execute(events.execution_options(yield_per=200))
    return [
        event_id
        for event_id, object_id, body in rows
        if object_id in ids or not wanted.isdisjoint(_ID.findall(zlib.decompress(body)))
    ]


def _forget_past(session: Session, connection: Connection, customer_id: str) -> tuple[int, int]:
    """What was read of them from before Recoup: failures, and every charge that is known to be theirs."""
    attempts = delete(PastAttempt).where(*_of(PastAttempt, connection), _is_past_of(connection, customer_id))
    charges = session.scalars(attempts.returning(PastAttempt.id)).all()
    return _forget(session, PastFailure, connection, customer_id), len(charges)


def _is_past_of(connection: Connection, customer_id: str) -> ColumnElement[bool]:
    failures = select(PastFailure.id).where(
        PastFailure.connection_id == connection.id, PastFailure.customer_stripe_id == customer_id
    )
    methods = select(PaymentMethod.stripe_id).where(
        PaymentMethod.connection_id == connection.id, PaymentMethod.customer_stripe_id == customer_id
    )
    return or_(PastAttempt.past_failure_id.in_(failures), PastAttempt.payment_method_id.in_(methods))


def _forget(session: Session, record: type[Any], connection: Connection, customer_id: str) -> int:
    theirs = delete(record).where(*_of(record, connection), record.customer_stripe_id == customer_id)
    return len(session.scalars(theirs.returning(record.id)).all())
