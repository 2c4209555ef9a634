"""Finding the cases that a piece of news is about, by whatever the news names."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, select

from app.inbox.handlers.arrival import Arrival
from app.models import ChargeAttempt, Customer, Invoice, RecoveryCase
from app.vocabulary import OPEN_CASE_STATES, CaseState

UNPAID = (*OPEN_CASE_STATES, CaseState.EXHAUSTED)


def has_case(arrival: Arrival, invoice_id: str) -> bool:
    """Whether a case was ever opened for a Stripe invoice."""
    return _has_case(arrival, Invoice.stripe_id == invoice_id)


def unpaid_invoices_of_customer(arrival: Arrival, customer_id: str) -> list[str]:
    """Stripe ids of the invoices of a customer whose cases still wait for money, oldest failure first."""
    return _invoices(arrival, Customer.stripe_id == customer_id)


def unpaid_invoices_of_subscription(arrival: Arrival, subscription_id: str) -> list[str]:
    """Stripe ids of the invoices of a subscription whose cases still wait for money, oldest failure first."""
    return _invoices(arrival, Invoice.subscription_stripe_id == subscription_id)


def invoice_of_payment(arrival: Arrival, *, charge_id: str | None, payment_intent_id: str | None) -> str | None:
    """The invoice that a charge or payment intent paid for, as far as Recoup has seen it."""
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        by_intent = select(Invoice.stripe_id).where(
            Invoice.connection_id == arrival.connection.id, Invoice.payment_intent_id == payment_intent_id
        )
        by_charge = (
            select(Invoice.stripe_id)
            .join(RecoveryCase, RecoveryCase.invoice_id == Invoice.id)
            .join(ChargeAttempt, ChargeAttempt.case_id == RecoveryCase.id)
            .where(ChargeAttempt.connection_id == arrival.connection.id, ChargeAttempt.charge_id == charge_id)
        )
        found = session.scalar(by_intent.limit(1)) if payment_intent_id else None
        return found or (session.scalar(by_charge.limit(1)) if charge_id else None)


def find_customer_row(arrival: Arrival, customer_id: str) -> UUID | None:
    """The projected customer's own id."""
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        return session.scalar(
            select(Customer.id).where(
                Customer.connection_id == arrival.connection.id, Customer.stripe_id == customer_id
            )
        )


def has_case_of_customer(arrival: Arrival, customer_id: str) -> bool:
    """Whether a case was ever opened for an invoice of this customer."""
    return _has_case(arrival, Invoice.customer_stripe_id == customer_id)


def has_case_of_subscription(arrival: Arrival, subscription_id: str) -> bool:
    """Whether a case was ever opened for an invoice of this subscription."""
    return _has_case(arrival, Invoice.subscription_stripe_id == subscription_id)


def observe_each(arrival: Arrival, invoice_ids: Iterable[str]) -> str:
    """Read each of these invoices again; how many that were."""
    count = 0
    for invoice_id in invoice_ids:
        arrival.observe(invoice_id)
        count += 1
    return f"{count} open case(s) looked at again"


def _has_case(arrival: Arrival, condition: ColumnElement[bool]) -> bool:
    query = (
        select(RecoveryCase.id)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .where(Invoice.connection_id == arrival.connection.id, condition)
        .limit(1)
    )
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        return session.scalar(query) is not None


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
