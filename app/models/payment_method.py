"""A projection of a payment method: what retry rules and people need to know of a card, and never its number."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key


class PaymentMethod(TenantRecord):
    __tablename__ = "payment_methods"
    __table_args__ = (UniqueConstraint("connection_id", "stripe_id"),)

    id: Mapped[UUID] = uuid_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    stripe_id: Mapped[str]
    customer_stripe_id: Mapped[str | None] = mapped_column(index=True)
    type: Mapped[str]
    brand: Mapped[str | None]
    funding: Mapped[str | None]
    country: Mapped[str | None]
    fingerprint: Mapped[str | None] = mapped_column(index=True)
    last4: Mapped[str | None]
    exp_month: Mapped[int | None]
    exp_year: Mapped[int | None]
    refreshed_at: Mapped[datetime]
