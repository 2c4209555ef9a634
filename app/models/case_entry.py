"""A line of a case's timeline: a fact, a decision (also one not to act), an action, a note. Appended, never edited."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, serial_key, word
from app.vocabulary import CaseState, EntryKind


class CaseEntry(TenantRecord):
    __tablename__ = "case_entries"
    __table_args__ = (UniqueConstraint("case_id", "key"),)

    id: Mapped[int] = serial_key()
    case_id: Mapped[UUID] = mapped_column(ForeignKey("recovery_cases.id", ondelete="CASCADE"))
    kind: Mapped[EntryKind] = word(EntryKind)
    name: Mapped[str]
    key: Mapped[str]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    from_state: Mapped[CaseState | None] = word(CaseState, "from_state")
    to_state: Mapped[CaseState | None] = word(CaseState, "to_state")
    summary: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
