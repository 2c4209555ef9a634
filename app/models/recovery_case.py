"""One unpaid invoice from its first failure to its outcome. `state` is written by `app.recovery.cases` alone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import CaseOrigin, CaseState, RecoveredBy, StopReason


class RecoveryCase(TenantRecord):
    __tablename__ = "recovery_cases"
    __table_args__ = (
        UniqueConstraint("invoice_id"),
        CheckConstraint("(state = 'recovered') = (recovered_at is not null)", name="recovered_has_a_moment"),
        CheckConstraint("(recovered_at is null) = (recovered_by is null)", name="recovered_has_a_cause"),
        CheckConstraint(
            "state <> 'closed' or (closed_at is not null and stop_reason is not null)", name="closed_has_a_reason"
        ),
        CheckConstraint("state <> 'exhausted' or exhausted_at is not null", name="exhausted_has_a_moment"),
        CheckConstraint("amount_due > 0 and recovered_amount >= 0", name="amounts"),
        Index("ix_recovery_cases_by_failure", "organization_id", "failed_at"),
        Index("ix_recovery_cases_list", "organization_id", "state", "failed_at"),
        Index("ix_recovery_cases_of_customer", "customer_id", "failed_at"),
        Index(
            "ix_recovery_cases_open",
            "customer_id",
            postgresql_where=text("state in ('waiting','charging','needs_customer')"),
        ),
    )

    id: Mapped[UUID] = uuid_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoices.id", ondelete="CASCADE"))
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    subscription_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("subscriptions.id", ondelete="SET NULL"), index=True
    )
    campaign_version_id: Mapped[UUID] = mapped_column(ForeignKey("campaign_versions.id"))
    origin: Mapped[CaseOrigin] = word(CaseOrigin, default=CaseOrigin.FAILURE, server_default="failure")
    state: Mapped[CaseState] = word(CaseState)
    version: Mapped[int] = mapped_column(default=1)
    why: Mapped[str]
    decline_class: Mapped[str | None]
    customer_reason: Mapped[str] = mapped_column(default="unknown")
    amount_due: Mapped[int] = mapped_column(BigInteger)
    paid_before: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    currency: Mapped[str]
    billed_name: Mapped[str | None]
    failed_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    window_ends_at: Mapped[datetime]
    grace_until: Mapped[datetime]
    new_card_at: Mapped[datetime | None]
    new_card_id: Mapped[str | None]
    new_card_by: Mapped[str | None]
    recovered_at: Mapped[datetime | None]
    recovered_amount: Mapped[int] = mapped_column(BigInteger, default=0)
    recovered_by: Mapped[RecoveredBy | None] = word(RecoveredBy)
    exhausted_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    stop_reason: Mapped[StopReason | None] = word(StopReason)
    link_version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  (how SQLAlchemy declares it)
