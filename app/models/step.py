"""One planned thing of a case: try the card, write to the customer, take the final action. Due when `due_at` has come.

A claim sets a lease and a token; whoever finishes must still hold that token (fencing), so a process that slept
through its lease cannot finish what another has taken over.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import StepKind, StepState


class Step(TenantRecord):
    __tablename__ = "steps"
    __table_args__ = (
        UniqueConstraint("case_id", "key"),
        CheckConstraint("state not in ('claimed','running') or lease_token is not null", name="leased_has_a_token"),
        Index("ix_steps_due", "due_at", postgresql_where=text("state in ('planned','claimed','running')")),
        Index(
            "uq_steps_one_open_retry",
            "case_id",
            unique=True,
            postgresql_where=text("kind = 'retry' and state in ('planned','claimed','running')"),
        ),
    )

    id: Mapped[UUID] = uuid_key()
    case_id: Mapped[UUID] = mapped_column(ForeignKey("recovery_cases.id", ondelete="CASCADE"))
    kind: Mapped[StepKind] = word(StepKind)
    key: Mapped[str]
    due_at: Mapped[datetime]
    state: Mapped[StepState] = word(StepState, default=StepState.PLANNED)
    why: Mapped[str]
    plan: Mapped[dict[str, Any]] = mapped_column(default=dict)
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    claims: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None]
    finished_at: Mapped[datetime | None]
