"""One charge from before Recoup: network budgets count it, learning reads it. Failed ones may have no invoice."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import AttemptSource, AttemptState


class PastAttempt(TenantRecord):
    __tablename__ = "past_attempts"
    __table_args__ = (
        UniqueConstraint("connection_id", "charge_id"),
        Index("ix_past_attempts_card", "organization_id", "fingerprint", "started_at"),
        Index("ix_past_attempts_intent", "connection_id", "payment_intent_id"),
    )

    id: Mapped[UUID] = uuid_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    past_failure_id: Mapped[UUID | None] = mapped_column(ForeignKey("past_failures.id", ondelete="CASCADE"), index=True)
    charge_id: Mapped[str]
    payment_intent_id: Mapped[str | None]
    source: Mapped[AttemptSource] = word(AttemptSource, default=AttemptSource.ELSEWHERE)
    state: Mapped[AttemptState] = word(AttemptState)
    payment_method_id: Mapped[str | None]
    fingerprint: Mapped[str | None]
    brand: Mapped[str | None]
    funding: Mapped[str | None]
    country: Mapped[str | None]
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    started_at: Mapped[datetime]
    signals: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reached_network: Mapped[bool] = mapped_column(default=True)
