"""A rehearsal that somebody asked for, how far it is, and its report. It holds no rows of real cases.

`began_at` to `beat_at` are the machine's time: whoever plays it says every few seconds that it is alive.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import RehearsalState


class Rehearsal(TenantRecord):
    __tablename__ = "rehearsals"
    __table_args__ = (
        Index("uq_rehearsals_one_running", "organization_id", unique=True, postgresql_where=text("state = 'running'")),
        Index("ix_rehearsals_newest", "organization_id", "began_at"),
    )

    id: Mapped[UUID] = uuid_key()
    campaign: Mapped[str]
    slug: Mapped[str]
    cases: Mapped[int]
    days: Mapped[int]
    seed: Mapped[int]
    asked_by: Mapped[str]
    state: Mapped[RehearsalState] = word(RehearsalState)
    share: Mapped[float] = mapped_column(default=0.0)
    began_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    is_cancelled: Mapped[bool] = mapped_column(default=False)
    problem: Mapped[str | None]
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    report: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
