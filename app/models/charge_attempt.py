"""One charge asked of Stripe, by us or seen from elsewhere, with its decline signals.

Ours is written as `charging` before Stripe is called, with the key and parameters that alone may repeat the call.
One invoice has at most one attempt whose outcome is still open.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import AttemptSource, AttemptState


class ChargeAttempt(TenantRecord):
    __tablename__ = "charge_attempts"
    __table_args__ = (
        UniqueConstraint("case_id", "number"),
        UniqueConstraint("organization_id", "idempotency_key"),
        UniqueConstraint("connection_id", "charge_id"),
        CheckConstraint("(source = 'recoup') = (idempotency_key is not null)", name="ours_has_a_key"),
        Index(
            "uq_charge_attempts_one_open",
            "case_id",
            unique=True,
            postgresql_where=text("state in ('charging','unknown')"),
        ),
        Index(
            "ix_charge_attempts_unresolved", "next_check_at", postgresql_where=text("state in ('charging','unknown')")
        ),
        Index("ix_charge_attempts_card", "organization_id", "fingerprint", "started_at"),
    )

    id: Mapped[UUID] = uuid_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    case_id: Mapped[UUID] = mapped_column(ForeignKey("recovery_cases.id", ondelete="CASCADE"))
    step_id: Mapped[UUID | None] = mapped_column(ForeignKey("steps.id", ondelete="SET NULL"))
    number: Mapped[int | None]
    source: Mapped[AttemptSource] = word(AttemptSource)
    state: Mapped[AttemptState] = word(AttemptState)
    idempotency_key: Mapped[str | None]
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    payment_method_id: Mapped[str | None]
    fingerprint: Mapped[str | None]
    brand: Mapped[str | None]
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str]
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    checks: Mapped[int] = mapped_column(default=0)
    charge_id: Mapped[str | None]
    payment_intent_id: Mapped[str | None]
    signals: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reached_network: Mapped[bool] = mapped_column(default=True)
    decision: Mapped[dict[str, Any]] = mapped_column(default=dict)
