"""What an organization's own cases taught the planner, or what was imported: one row for each time, the newest is used.

`content` is what `Knowledge.to_json` wrote, as text, because its version is a digest of it. There is nothing personal
in it. A row stays as long as a decision names it, so that the decision can be made again.
"""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, serial_key


class RetryKnowledge(TenantRecord):
    __tablename__ = "retry_knowledge"
    __table_args__ = (Index("ix_retry_knowledge_version", "organization_id", "version"),)

    id: Mapped[int] = serial_key()
    learnt_at: Mapped[datetime]
    by: Mapped[str]
    version: Mapped[str]
    is_used: Mapped[bool]
    reason: Mapped[str]
    cases: Mapped[int]
    gain: Mapped[float]
    content: Mapped[str] = mapped_column(Text)
