"""Who did what to an organization's settings and cases. Appended, never edited."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, serial_key


class AuditEntry(TenantRecord):
    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_newest", "organization_id", "happened_at"),)

    id: Mapped[int] = serial_key()
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    happened_at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    user_id: Mapped[UUID | None]
