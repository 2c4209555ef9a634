"""One way in which two engines, or none, work on the same payments: when it was seen, of what, and when it was over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, serial_key, word
from app.vocabulary import ConflictKind


class Conflict(TenantRecord):
    """`subject` is the invoice's Stripe id or an endpoint's; empty for what concerns the whole account."""

    __tablename__ = "conflicts"
    __table_args__ = (
        Index(
            "uq_conflicts_one_standing",
            "connection_id",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("resolved_at is null"),
        ),
        Index("ix_conflicts_standing_case", "case_id", postgresql_where=text("resolved_at is null")),
    )

    id: Mapped[int] = serial_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("recovery_cases.id", ondelete="CASCADE"))
    kind: Mapped[ConflictKind] = word(ConflictKind)
    subject: Mapped[str]
    detail: Mapped[str]
    found_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
