"""A long piece of work at Stripe for one connection. `position` is all that is needed to go on after a crash.

Whoever works on it holds a lease under a token; each page of the work is committed together with the position after it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import ErrandKind, ErrandState


class Errand(TenantRecord):
    __tablename__ = "errands"
    __table_args__ = (
        Index(
            "uq_errands_one_running", "connection_id", "kind", unique=True, postgresql_where=text("state = 'running'")
        ),
        Index("ix_errands_newest", "connection_id", "kind", "started_at"),
    )

    id: Mapped[UUID] = uuid_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    kind: Mapped[ErrandKind] = word(ErrandKind)
    state: Mapped[ErrandState] = word(ErrandState, default=ErrandState.RUNNING)
    asked_by: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    position: Mapped[dict[str, Any]] = mapped_column(default=dict)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    problem: Mapped[str | None]
