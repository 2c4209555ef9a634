"""An address that mails about a customer's payments go to, beside the one Stripe has or (`is_main`) instead of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key


class Recipient(TenantRecord):
    __tablename__ = "recipients"
    __table_args__ = (
        Index("uq_recipients_address", "customer_id", text("lower(address)"), unique=True),
        Index("uq_recipients_one_main", "customer_id", unique=True, postgresql_where=text("is_main")),
    )

    id: Mapped[UUID] = uuid_key()
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    address: Mapped[str]
    is_main: Mapped[bool] = mapped_column(default=False)
    added_by: Mapped[str]
    added_at: Mapped[datetime]
