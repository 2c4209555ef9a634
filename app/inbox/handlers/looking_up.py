"""Finding the cases that a piece of news is about, by whatever the news names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

from app.db import prepared
from app.inbox.handlers.arrival import Arrival
from app.models import ChargeAttempt, Customer, Invoice, RecoveryCase
from app.vocabulary import OPEN_CASE_STATES, CaseState

UNPAID = (*OPEN_CASE_STATES, CaseState.EXHAUSTED)


def unpaid_invoices_of_customer(arrival: Arrival, customer_id: str) -> list[str]:
    """Stripe ids of the invoices of a customer whose cases still wait for money, oldest failure first."""
    return _invoices(arrival, Customer.stripe_id == customer_id)


def unpaid_invoices_of_subscription(arrival: Arrival, subscription_id: str) -> list[str]:
    """Stripe ids of the invoices of a subscription whose cases still wait for money, oldest failure first."""
    return _invoices(arrival, Invoice.subscription_stripe_id == subscription_id)


def invoice_of_payment(arrival: Arrival, *, charge_id: str | None, payment_intent_id: str | None) -> str | None:
    """The invoice that a charge or payment intent paid for, as far as Recoup has seen it."""
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        found = session.scalar(*_of_intent(arrival.connection.id, payment_intent_id)) if payment_intent_id else None
        return found or (session.scalar(*_of_charge(arrival.connection.id, charge_id)) if charge_id else None)


@prepared
def _of_intent(connection_id: UUID, payment_intent_id: str) -> Select[str]:
    of_connection = select(Invoice.stripe_id).where(Invoice.connection_id == connection_id)
    return of_connection.where(Invoice.payment_intent_id == payment_intent_id).limit(1)


@prepared
def _of_charge(connection_id: UUID, charge_id: str) -> Select[str]:
    return (
        select(Invoice.stripe_id)
        .join(RecoveryCase, RecoveryCase.invoice_id == Invoice.id)
        .join(ChargeAttempt, ChargeAttempt.case_id == RecoveryCase.id)
        .where(ChargeAttempt.connection_id == connection_id, ChargeAttempt.charge_id == charge_id)
        .limit(1)
    )


@dataclass(frozen=True)
class KnownCustomer:
    """A customer who is projected: their row's id, and when they were last read."""

    id: UUID
    read_at: datetime


def find_customer(arrival: Arrival, customer_id: str) -> KnownCustomer | None:
    """The customer as far as Recoup knows them."""
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        found = session.execute(*_customer(arrival.connection.id, customer_id)).one_or_none()
    return KnownCustomer(*found) if found else None


@prepared
def _customer(connection_id: UUID, stripe_id: str) -> Select[UUID, datetime]:
    known = select(Customer.id, Customer.refreshed_at)
    return known.where(Customer.connection_id == connection_id, Customer.stripe_id == stripe_id)


def has_case_of_customer(arrival: Arrival, customer_id: str) -> bool:
    """Whether a case was ever opened for an invoice of this customer."""
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        return session.scalar(*_case_of_customer(arrival.connection.id, customer_id)) is not None


@prepared
def _case_of_customer(connection_id: UUID, customer_id: str) -> Select[UUID]:
    cases = select(RecoveryCase.id).join(Invoice, Invoice.id == RecoveryCase.invoice_id)
    return cases.where(Invoice.connection_id == connection_id, Invoice.customer_stripe_id == customer_id).limit(1)


def has_case_of_subscription(arrival: Arrival, subscription_id: str) -> bool:
    """Whether a case was ever opened for an invoice of this subscription."""
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        return session.scalar(*_case_of_subscription(arrival.connection.id, subscription_id)) is not None


@prepared
def _case_of_subscription(connection_id: UUID, subscription_id: str) -> Select[UUID]:
    cases = select(RecoveryCase.id).join(Invoice, Invoice.id == RecoveryCase.invoice_id)
    of_connection = cases.where(Invoice.connection_id == connection_id)
    return of_connection.where(Invoice.subscription_stripe_id == subscription_id).limit(1)


def observe_each(arrival: Arrival, invoice_ids: Iterable[str]) -> str:
    """Read each of these invoices again; how many that were."""
    count = 0
    for invoice_id in invoice_ids:
        arrival.observe(invoice_id)
        count += 1
    return f"{count} open case(s) looked at again"


def _invoices(arrival: Arrival, condition: ColumnElement[bool]) -> list[str]:
    query = (
        select(Invoice.stripe_id)
        .join(RecoveryCase, RecoveryCase.invoice_id == Invoice.id)
        .join(Customer, Customer.id == RecoveryCase.customer_id)
        .where(RecoveryCase.connection_id == arrival.connection.id, RecoveryCase.state.in_(UNPAID), condition)
        .order_by(RecoveryCase.failed_at, RecoveryCase.id)
    )
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        return list(session.scalars(query))
