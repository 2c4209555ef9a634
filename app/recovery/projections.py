"""Stripe's objects copied into rows, newest reading wins. Copies for lists and decisions; the truth stays at Stripe."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.errors import RecoupError
from app.models import Connection, Customer, Invoice, PaymentMethod, Subscription
from app.stripe_gateway.snapshots import (
    CustomerSnapshot,
    InvoiceSnapshot,
    PaymentMethodSnapshot,
    SubscriptionItem,
    SubscriptionSnapshot,
)


class StaleReading(RecoupError):
    """A newer reading of the same object was written meanwhile: read again before deciding anything."""


_ENDED = ("paid", "void", "uncollectible")


def write_invoice(session: Session, connection: Connection, snapshot: InvoiceSnapshot, read_at: datetime) -> Invoice:
    """Write what was read at `read_at` and return the row, locked. Raises `StaleReading`."""
    row: Invoice | None = _write(session, Invoice, connection, snapshot.id, _invoice_values(snapshot, read_at))
    if row is None:
        raise StaleReading(snapshot.id)
    return row


def keep_listed_invoices(
    session: Session, connection: Connection, snapshots: Sequence[InvoiceSnapshot], read_at: datetime
) -> None:
    """Copy invoices of a list that are not known yet. What is known already was read for itself and stands."""
    rows = [
        {
            "id": uuid4(),
            "organization_id": connection.organization_id,
            "connection_id": connection.id,
            "stripe_id": snapshot.id,
            **_invoice_values(snapshot, read_at),
        }
        for snapshot in snapshots
    ]
    if rows:
        session.execute(insert(Invoice).values(rows).on_conflict_do_nothing())


def _invoice_values(snapshot: InvoiceSnapshot, read_at: datetime) -> dict[str, Any]:
    return {
        "customer_stripe_id": snapshot.customer_id or "",
        "subscription_stripe_id": snapshot.subscription_id,
        "number": snapshot.number,
        "description": next((line.description for line in snapshot.lines if line.description), None),
        "status": snapshot.status,
        "currency": snapshot.currency,
        "amount_due": snapshot.amount_due,
        "amount_paid": snapshot.amount_paid,
        "amount_remaining": snapshot.amount_remaining,
        "billing_reason": snapshot.billing_reason,
        "collection_method": snapshot.collection_method,
        "attempted": snapshot.attempted,
        "attempt_count": snapshot.attempt_count,
        "next_payment_attempt": snapshot.next_payment_attempt,
        "auto_advance": snapshot.auto_advance,
        "hosted_invoice_url": snapshot.hosted_invoice_url,
        "payment_intent_id": snapshot.payment_intent_id,
        "default_payment_method_id": snapshot.default_payment_method_id,
        "invoiced_at": snapshot.created,
        "due_at": snapshot.due_date,
        "paid_at": snapshot.paid_at,
        "paid_out_of_band": snapshot.paid_out_of_band,
        "refreshed_at": read_at,
    }


def note_invoice_event(session: Session, connection: Connection, snapshot: InvoiceSnapshot, created: datetime) -> None:
    """Write an invoice as an event carried it, unless something newer or more final is known.

    Events count in whole seconds: one that ends an invoice in the second of our own reading is news all the same.
    """
    known = session.scalar(
        select(Invoice).where(*_same(Invoice, connection, snapshot.id)).with_for_update(key_share=True)
    )
    had_ended, ends = known is not None and known.status in _ENDED, snapshot.status in _ENDED
    if had_ended and not ends:
        return
    if known and known.refreshed_at > created:
        if had_ended or not ends:
            return
        created = known.refreshed_at
    write_invoice(session, connection, snapshot, created)


def write_customer(session: Session, connection: Connection, snapshot: CustomerSnapshot, read_at: datetime) -> Customer:
    """Write a customer, unless a newer reading stands; returns the row."""
    values: dict[str, Any] = {"deleted": snapshot.deleted, "refreshed_at": read_at}
    if not snapshot.deleted:
        values |= {
            "email": snapshot.email,
            "name": snapshot.name,
            "locales": list(snapshot.preferred_locales),
            "country": snapshot.country,
            "timezone": snapshot.timezone,
            "currency": snapshot.currency,
            "delinquent": snapshot.delinquent,
            "default_payment_method_id": snapshot.default_payment_method_id,
            "default_source_id": snapshot.default_source_id,
            "stripe_metadata": dict(snapshot.metadata),
            "customer_since": snapshot.created,
        }
    row: Customer = _write_or_find(session, Customer, connection, snapshot.id, values)
    return row


def write_subscription(
    session: Session, connection: Connection, snapshot: SubscriptionSnapshot, read_at: datetime
) -> Subscription:
    """Write a subscription, unless a newer reading stands; returns the row."""
    first = snapshot.items[0] if snapshot.items else None
    values = {
        "customer_stripe_id": snapshot.customer_id or "",
        "status": snapshot.status,
        "collection_method": snapshot.collection_method,
        "price_id": first.price_id if first else None,
        "product_id": first.product_id if first else None,
        "plan_name": _plan_name(snapshot, first),
        "unit_amount": first.unit_amount if first else None,
        "currency": first.currency if first else None,
        "interval": first.interval if first else None,
        "interval_count": first.interval_count if first else None,
        "current_period_end": snapshot.current_period_end,
        "cancel_at_period_end": snapshot.cancel_at_period_end,
        "canceled_at": snapshot.canceled_at,
        "pause_collection": snapshot.pause_collection,
        "schedule_id": snapshot.schedule_id,
        "default_payment_method_id": snapshot.default_payment_method_id,
        "refreshed_at": read_at,
    }
    row: Subscription = _write_or_find(session, Subscription, connection, snapshot.id, values)
    return row


def write_payment_method(
    session: Session, connection: Connection, snapshot: PaymentMethodSnapshot, read_at: datetime
) -> PaymentMethod:
    """Write a payment method, unless a newer reading stands; returns the row."""
    card = snapshot.card
    values = {
        "customer_stripe_id": snapshot.customer_id,
        "type": snapshot.type,
        "brand": card.brand if card else None,
        "funding": card.funding if card else None,
        "country": card.country if card else snapshot.billing_country,
        "fingerprint": card.fingerprint if card else None,
        "last4": card.last4 if card else None,
        "exp_month": card.exp_month if card else None,
        "exp_year": card.exp_year if card else None,
        "refreshed_at": read_at,
    }
    row: PaymentMethod = _write_or_find(session, PaymentMethod, connection, snapshot.id, values)
    return row


def note_mailed(session: Session, connection: Connection, stripe_id: str, at: datetime) -> None:
    """Remember that Stripe itself mailed an invoice to its customer; the newest time counts."""
    row = find_invoice(session, connection.id, stripe_id)
    if row is not None:
        row.mailed_at = max(row.mailed_at or at, at)


def note_payment_method(
    session: Session, connection: Connection, snapshot: PaymentMethodSnapshot, read_at: datetime
) -> None:
    """Write a payment method as an event carried it, if a row of it is kept: a renewed card must not be called old."""
    known = select(PaymentMethod.id).where(*_same(PaymentMethod, connection, snapshot.id))
    if session.scalar(known) is not None:
        write_payment_method(session, connection, snapshot, read_at)


def note_subscription(
    session: Session, connection: Connection, snapshot: SubscriptionSnapshot, read_at: datetime
) -> None:
    """Write a subscription if a row of it is kept."""
    known = select(Subscription.id).where(*_same(Subscription, connection, snapshot.id))
    if session.scalar(known) is not None:
        write_subscription(session, connection, snapshot, read_at)


def find_invoice(session: Session, connection_id: UUID, stripe_id: str) -> Invoice | None:
    """The projected invoice, if Recoup has heard of it."""
    return session.scalar(select(Invoice).where(Invoice.connection_id == connection_id, Invoice.stripe_id == stripe_id))


def billed_name(invoice: InvoiceSnapshot, subscription: SubscriptionSnapshot | None) -> str | None:
    """The plan that an invoice billed, by its name; None where the subscription is on none of the invoice's prices (any
    more), and the invoice's own lines have to say what it was for.
    """
    billed = {line.price_id for line in invoice.lines if line.price_id}
    items = subscription.items if subscription else ()
    item = next((item for item in items if item.price_id in billed), None)
    return _plan_name(subscription, item) if subscription and item else None


def _plan_name(subscription: SubscriptionSnapshot, item: SubscriptionItem | None) -> str | None:
    """What a person would call the plan: the price's nickname, else the subscription's own description."""
    return (item.nickname if item else None) or subscription.description


def _same(record: type[Any], connection: Connection, stripe_id: str) -> tuple[Any, Any]:
    return record.connection_id == connection.id, record.stripe_id == stripe_id


def _write(session: Session, record: Any, connection: Connection, stripe_id: str, values: dict[str, Any]) -> Any:
    """Write a row unless a newer reading stands, and give it as written, locked; None where the newer one stands."""
    defaults = {"id": uuid4(), "organization_id": connection.organization_id, "connection_id": connection.id}
    if record is Customer:
        values = {"locales": [], "delinquent": False, "stripe_metadata": {}, **values}
    statement = _upsert(record, tuple(values))
    return session.scalars(statement, {**defaults, "stripe_id": stripe_id, **values}).one_or_none()


def _write_or_find(
    session: Session, record: Any, connection: Connection, stripe_id: str, values: dict[str, Any]
) -> Any:
    """As `_write`, but where a newer reading stands its row is as good."""
    written = _write(session, record, connection, stripe_id, values)
    if written is not None:
        return written
    standing = select(record).where(*_same(record, connection, stripe_id))
    return session.scalars(standing.execution_options(populate_existing=True)).one()


@cache
def _upsert(record: Any, columns: tuple[str, ...]) -> Any:
    """The statement that writes these columns; made once, because that costs more than running it."""
    table = record.__table__
    statement = insert(table)
    newest = statement.on_conflict_do_update(
        index_elements=["connection_id", "stripe_id"],
        set_={name: statement.excluded[name] for name in columns},
        where=table.c.refreshed_at <= statement.excluded.refreshed_at,
    )
    written = select(record).from_statement(newest.returning(*table.c))
    return written.execution_options(populate_existing=True)
