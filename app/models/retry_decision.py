"""One answer of the planner about a case, a try or a non-try, with all it was made from. Appended, never edited.

`record` is the JSON of `app.retries.records` where a plan was made, else the inputs alone in the same form; either can
be decided again, bit for bit. `mark` is the same as long as the answer and the news behind it are.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, serial_key


class RetryDecision(TenantRecord):
    __tablename__ = "retry_decisions"
    __table_args__ = (Index("ix_retry_decisions_case", "case_id", "id"),)

    id: Mapped[int] = serial_key()
    case_id: Mapped[UUID] = mapped_column(ForeignKey("recovery_cases.id", ondelete="CASCADE"))
    decided_at: Mapped[datetime]
    news_at: Mapped[datetime]
    kind: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime | None]
    rules: Mapped[list[Any]]
    summary: Mapped[str]
    knowledge: Mapped[str]
    propensity: Mapped[float | None]
    chance: Mapped[float | None]
    asked_by: Mapped[str | None]
    mark: Mapped[str]
    record: Mapped[str] = mapped_column(Text)
