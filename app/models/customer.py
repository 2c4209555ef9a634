"""A projection of a Stripe customer: whom to write to, in which language and zone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key


class Customer(TenantRecord):
    __tablename__ = "customers"
    __table_args__ = (UniqueConstraint("connection_id", "stripe_id"),)

    id: Mapped[UUID] = uuid_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    stripe_id: Mapped[str]
    email: Mapped[str | None]
    name: Mapped[str | None]
    locales: Mapped[list[Any]] = mapped_column(default=list)
    country: Mapped[str | None]
    timezone: Mapped[str | None]
    currency: Mapped[str | None]
    delinquent: Mapped[bool] = mapped_column(default=False)
    deleted: Mapped[bool] = mapped_column(default=False)
    default_payment_method_id: Mapped[str | None]
    default_source_id: Mapped[str | None]
    stripe_metadata: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tags: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    customer_since: Mapped[datetime | None]
    refreshed_at: Mapped[datetime]
