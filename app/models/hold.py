"""A reason to wait, with an end: a snooze, a promise to pay, a dispute. No retry and no mail while it lasts.

A promise names the moment from which the card may be tried; it lasts until the end of that day, so that no mail comes
before the try has had its answer.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import HoldKind


class Hold(TenantRecord):
    __tablename__ = "holds"
    __table_args__ = (
        UniqueConstraint("customer_id", "key"),
        Index("ix_holds_current", "customer_id", postgresql_where=text("released_at is null")),
    )

    id: Mapped[UUID] = uuid_key()
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("recovery_cases.id", ondelete="CASCADE"), index=True)
    kind: Mapped[HoldKind] = word(HoldKind)
    key: Mapped[str]
    reason: Mapped[str]
    begins_at: Mapped[datetime]
    until: Mapped[datetime | None]
    promised_for: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    created_by: Mapped[str]
