"""Rows turned into what a campaign's segment may ask: of one failed payment, and of every subscription there is today.

Reads only. Failures and payments are known as far back as Recoup has read the account's past.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, union
from sqlalchemy.orm import Session

from app.campaigns.matching import SegmentFacts
from app.db import get_row
from app.models import Customer, Invoice, PastFailure, RecoveryCase, Subscription
from app.money import Money
from app.vocabulary import ENDED_SUBSCRIPTIONS

YEAR = timedelta(days=365)
TAGS_KEY = "tags"  # Stripe knows no tags: its metadata under this key, separated by commas, counts besides our own


@dataclass(frozen=True)
class Renewal:
    """A living subscription and what its next payment would be asked by; `customer` is a name or an id to show."""

    subscription_id: str
    customer_id: UUID
    customer: str
    facts: SegmentFacts


@dataclass(frozen=True)
class Past:
    """What is known of all customers' failures of the last year and of what they have paid, read at once."""

    failures: dict[UUID, int]
    paid: dict[UUID, dict[str, int]]

    def facts(
        self,
        customer: Customer,
        subscription: Subscription | None,
        amount: Money | None,
        decline_class: str | None,
        at: datetime,
    ) -> SegmentFacts:
        """What rules may ask of a payment of this customer that fails at `at`."""
        return _facts(
            customer,
            subscription,
            amount,
            decline_class,
            self.failures.get(customer.id, 0),
            self.paid.get(customer.id, {}),
            at,
        )


def read_past(session: Session, now: datetime) -> Past:
    """The past of every customer, for those who ask about many."""
    return Past(_all_failures(session, now), _all_paid(session))


def facts_of_invoice(
    session: Session,
    invoice: Invoice,
    customer: Customer,
    subscription: Subscription | None,
    decline_class: str | None,
    at: datetime,
) -> SegmentFacts:
    """What is known of a payment that failed at `at`; its own failure is not counted among the earlier ones."""
    amount = max(invoice.amount_remaining, 0) or invoice.amount_due
    failures = _failures(session, customer, at, but=invoice.id)
    paid = _paid(session, customer)
    return _facts(customer, subscription, Money(amount, invoice.currency), decline_class, failures, paid, at)


def facts_of_case(session: Session, case: RecoveryCase) -> SegmentFacts:
    """The same of a case, as its rows stand now."""
    return facts_of_invoice(
        session,
        get_row(session, Invoice, case.invoice_id),
        get_row(session, Customer, case.customer_id),
        get_row(session, Subscription, case.subscription_id) if case.subscription_id else None,
        case.decline_class,
        case.failed_at,
    )


def renewals(session: Session, now: datetime) -> Iterator[Renewal]:
    """Every subscription that is not over, with its customer, as if its next payment failed now.

    The amount is the price of one unit, because that is what is known of a renewal; the decline is not known.
    """
    past = read_past(session, now)
    # columns and no records: there may be a hundred thousand of them
    rows = session.execute(
        select(
            Subscription.stripe_id,
            Subscription.plan_name,
            Subscription.price_id,
            Subscription.product_id,
            Subscription.interval,
            Subscription.unit_amount,
            Subscription.currency,
            Customer.id.label("customer_id"),
            func.coalesce(Customer.name, Customer.stripe_id).label("customer"),
            Customer.country,
            Customer.customer_since,
            Customer.stripe_metadata,
            Customer.tags,
        )
        .join(
            Customer,
            (Customer.connection_id == Subscription.connection_id)
            & (Customer.stripe_id == Subscription.customer_stripe_id),
        )
        .where(Subscription.status.not_in(ENDED_SUBSCRIPTIONS), Customer.deleted.is_(False))
        .order_by(Subscription.plan_name, Subscription.stripe_id)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        has_amount = row.unit_amount is not None and row.currency
        amount = Money(row.unit_amount, row.currency) if has_amount else None
        failures, paid = past.failures.get(row.customer_id, 0), past.paid.get(row.customer_id, {})
        known = _facts(row, row, amount, None, failures, paid, now)
        yield Renewal(row.stripe_id, row.customer_id, row.customer, known)


def count_renewals(session: Session) -> int:
    """How many living subscriptions there are: how much it takes to ask about all of them."""
    living = select(func.count()).select_from(Subscription).where(Subscription.status.not_in(ENDED_SUBSCRIPTIONS))
    return session.scalar(living) or 0


def tags_of(metadata: dict[str, Any], own: list[Any]) -> frozenset[str]:
    """A customer's tags: given in Recoup, or at Stripe as metadata."""
    if not own and TAGS_KEY not in metadata:
        return frozenset()
    listed = str(metadata.get(TAGS_KEY, "")).split(",")
    return frozenset(tag for tag in (each.strip() for each in (*listed, *map(str, own))) if tag)


def _facts(
    customer: Any,
    subscription: Any,
    amount: Money | None,
    decline_class: str | None,
    failures: int,
    paid: dict[str, int],
    at: datetime,
) -> SegmentFacts:
    """`customer` and `subscription` are records, or rows with columns of the same names."""
    since = customer.customer_since
    return SegmentFacts(
        plan=subscription.plan_name if subscription else None,
        price_id=subscription.price_id if subscription else None,
        product_id=subscription.product_id if subscription else None,
        interval=subscription.interval if subscription else None,
        amount=amount,
        country=customer.country,
        tenure_days=max((at - since).days, 0) if since else None,
        decline_class=decline_class,
        failures_last_year=failures,
        tags=tags_of(customer.stripe_metadata, customer.tags),
        metadata={str(key): str(value) for key, value in customer.stripe_metadata.items()},
        lifetime_value=paid,
    )


def _failures(session: Session, customer: Customer, at: datetime, but: UUID) -> int:
    past = select(PastFailure.invoice_id).where(
        PastFailure.connection_id == customer.connection_id,
        PastFailure.customer_stripe_id == customer.stripe_id,
        *_in_year(PastFailure.failed_at, at),
    )
    own = select(RecoveryCase.invoice_id).where(
        RecoveryCase.customer_id == customer.id, *_in_year(RecoveryCase.failed_at, at)
    )
    failed = union(past, own).subquery()
    return session.scalar(select(func.count()).select_from(failed).where(failed.c.invoice_id != but)) or 0


def _paid(session: Session, customer: Customer) -> dict[str, int]:
    rows = session.execute(
        select(Invoice.currency, func.sum(Invoice.amount_paid))
        .where(
            Invoice.connection_id == customer.connection_id,
            Invoice.customer_stripe_id == customer.stripe_id,
            Invoice.amount_paid > 0,
        )
        .group_by(Invoice.currency)
    )
    return {currency: int(total) for currency, total in rows}


def _in_year(column: Any, at: datetime) -> tuple[Any, Any]:
    return column > at - YEAR, column <= at


def _all_failures(session: Session, now: datetime) -> dict[UUID, int]:
    past = (
        select(Customer.id.label("customer_id"), PastFailure.invoice_id)
        .join(
            PastFailure,
            (PastFailure.connection_id == Customer.connection_id)
            & (PastFailure.customer_stripe_id == Customer.stripe_id),
        )
        .where(*_in_year(PastFailure.failed_at, now))
    )
    own = select(RecoveryCase.customer_id, RecoveryCase.invoice_id).where(*_in_year(RecoveryCase.failed_at, now))
    failed = union(past, own).subquery()
    counts: dict[UUID, int] = defaultdict(int)
    for customer_id, count in session.execute(
        select(failed.c.customer_id, func.count()).group_by(failed.c.customer_id)
    ):
        counts[customer_id] = count
    return counts


def _all_paid(session: Session) -> dict[UUID, dict[str, int]]:
    rows = session.execute(
        select(Customer.id, Invoice.currency, func.sum(Invoice.amount_paid))
        .join(
            Invoice,
            (Invoice.connection_id == Customer.connection_id) & (Invoice.customer_stripe_id == Customer.stripe_id),
        )
        .where(Invoice.amount_paid > 0)
        .group_by(Customer.id, Invoice.currency)
    )
    paid: dict[UUID, dict[str, int]] = defaultdict(dict)
    for customer_id, currency, total in rows:
        paid[customer_id][currency] = int(total)
    return paid
