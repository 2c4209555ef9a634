"""A projection of a Stripe subscription: plan, price, period and status."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key


class Subscription(TenantRecord):
    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("connection_id", "stripe_id"),
        Index("ix_subscriptions_charged_next", "connection_id", "current_period_end"),
    )

    id: Mapped[UUID] = uuid_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    stripe_id: Mapped[str]
    customer_stripe_id: Mapped[str] = mapped_column(index=True)
    status: Mapped[str]
    collection_method: Mapped[str | None]
    price_id: Mapped[str | None]
    product_id: Mapped[str | None]
    plan_name: Mapped[str | None]
    unit_amount: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None]
    interval: Mapped[str | None]
    interval_count: Mapped[int | None]
    current_period_end: Mapped[datetime | None]
    cancel_at_period_end: Mapped[bool] = mapped_column(default=False)
    canceled_at: Mapped[datetime | None]
    pause_collection: Mapped[dict[str, Any] | None]
    schedule_id: Mapped[str | None]
    default_payment_method_id: Mapped[str | None]
    refreshed_at: Mapped[datetime]
