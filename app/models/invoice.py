"""A projection of a Stripe invoice: what is owed and whether it is paid. Amounts are minor units of `currency`.

`mailed_at` is when Stripe last mailed it to the customer by itself, as far as it said so.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key


class Invoice(TenantRecord):
    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("connection_id", "stripe_id"),
        Index("ix_invoices_of_customer", "connection_id", "customer_stripe_id", "status"),
        Index(
            "ix_invoices_of_payment",
            "connection_id",
            "payment_intent_id",
            postgresql_where=text("payment_intent_id is not null"),
        ),
        Index(
            "ix_invoices_paid_by_hand",
            "connection_id",
            "due_at",
            postgresql_where=text("status = 'open' and collection_method = 'send_invoice'"),
        ),
    )

    id: Mapped[UUID] = uuid_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    stripe_id: Mapped[str]
    customer_stripe_id: Mapped[str]
    subscription_stripe_id: Mapped[str | None] = mapped_column(index=True)
    number: Mapped[str | None]
    description: Mapped[str | None]
    status: Mapped[str]
    currency: Mapped[str]
    amount_due: Mapped[int] = mapped_column(BigInteger)
    amount_paid: Mapped[int] = mapped_column(BigInteger)
    amount_remaining: Mapped[int] = mapped_column(BigInteger)
    billing_reason: Mapped[str | None]
    collection_method: Mapped[str | None]
    attempted: Mapped[bool] = mapped_column(default=False)
    attempt_count: Mapped[int] = mapped_column(default=0)
    next_payment_attempt: Mapped[datetime | None]
    auto_advance: Mapped[bool] = mapped_column(default=False)
    hosted_invoice_url: Mapped[str | None]
    payment_intent_id: Mapped[str | None]
    default_payment_method_id: Mapped[str | None]
    invoiced_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    paid_at: Mapped[datetime | None]
    paid_out_of_band: Mapped[bool] = mapped_column(default=False)
    mailed_at: Mapped[datetime | None]
    seen_open_at: Mapped[datetime | None]
    refreshed_at: Mapped[datetime]
