"""One thing a reconciliation found missing or changed: why it is thought so, and what was done about it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, serial_key, word
from app.vocabulary import FindingKind


class Finding(TenantRecord):
    __tablename__ = "findings"
    __table_args__ = (
        UniqueConstraint("errand_id", "kind", "subject"),
        Index("ix_findings_newest", "connection_id", "found_at"),
    )

    id: Mapped[int] = serial_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    errand_id: Mapped[UUID] = mapped_column(ForeignKey("errands.id", ondelete="CASCADE"))
    kind: Mapped[FindingKind] = word(FindingKind)
    subject: Mapped[str]
    why: Mapped[str]
    outcome: Mapped[str | None]
    found_at: Mapped[datetime]
