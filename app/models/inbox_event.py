"""A webhook as it came: the compressed body, in columns what is asked for. Unfinished ones are found by the sweep.

`tries` counts every claim of it, `faults` those over which its handler stumbled, `unfinished` those in a row that ended
without a word because the worker died. `lease_until` is on Postgres' clock.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, serial_key, word
from app.vocabulary import EventKind, EventOrigin, InboxState


class InboxEvent(TenantRecord):
    __tablename__ = "inbox_events"
    __table_args__ = (
        UniqueConstraint("connection_id", "event_id"),
        Index("ix_inbox_events_unfinished", "next_try_at", postgresql_where=text("state = 'received'")),
        Index(
            "ix_inbox_events_leased",
            "lease_until",
            postgresql_where=text("state = 'received' and lease_until is not null"),
        ),
        Index("ix_inbox_events_newest", "organization_id", "received_at"),
    )

    id: Mapped[int] = serial_key()
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    event_id: Mapped[str]
    kind: Mapped[EventKind] = word(EventKind)
    origin: Mapped[EventOrigin] = word(EventOrigin, default=EventOrigin.WEBHOOK, server_default="webhook")
    type: Mapped[str]
    api_version: Mapped[str | None]
    account: Mapped[str | None]
    object_type: Mapped[str | None]
    object_id: Mapped[str | None]
    created_at: Mapped[datetime]
    received_at: Mapped[datetime]
    body: Mapped[bytes]
    state: Mapped[InboxState] = word(InboxState, default=InboxState.RECEIVED)
    tries: Mapped[int] = mapped_column(default=0)
    faults: Mapped[int] = mapped_column(default=0, server_default="0")
    unfinished: Mapped[int] = mapped_column(default=0, server_default="0")
    next_try_at: Mapped[datetime]
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    problem: Mapped[str | None]
    outcome: Mapped[str | None]
    handled_at: Mapped[datetime | None]
