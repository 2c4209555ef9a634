"""An invoice whose payment failed before Recoup could act on it: history to learn from, never a case.

Nothing plans, charges or writes because of such a row. Where the same invoice has a case, the case is what counts.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import PastOutcome, RecoveredBy


class PastFailure(TenantRecord):
    __tablename__ = "past_failures"
    __table_args__ = (
        UniqueConstraint("invoice_id"),
        Index("ix_past_failures_open", "connection_id", postgresql_where=text("outcome = 'open'")),
        Index("ix_past_failures_by_failure", "organization_id", "failed_at"),
    )

    id: Mapped[UUID] = uuid_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoices.id", ondelete="CASCADE"))
    customer_stripe_id: Mapped[str] = mapped_column(index=True)
    failed_at: Mapped[datetime]
    amount_due: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    decline_class: Mapped[str | None]
    signals: Mapped[dict[str, Any]] = mapped_column(default=dict)
    card_brand: Mapped[str | None]
    card_funding: Mapped[str | None]
    card_country: Mapped[str | None]
    customer_country: Mapped[str | None]
    timezone: Mapped[str | None]
    outcome: Mapped[PastOutcome] = word(PastOutcome)
    paid_at: Mapped[datetime | None]
    paid_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    paid_by: Mapped[RecoveredBy | None] = word(RecoveredBy)
    not_asked_because: Mapped[str | None]
    read_at: Mapped[datetime]
