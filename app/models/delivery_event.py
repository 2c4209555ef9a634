"""What a mail provider reported of one message. Duplicates fall on the provider's event id; no address is kept here."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, serial_key


class DeliveryEvent(TenantRecord):
    __tablename__ = "delivery_events"
    __table_args__ = (UniqueConstraint("provider", "provider_event_id"),)

    id: Mapped[int] = serial_key()
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str]
    provider_event_id: Mapped[str]
    type: Mapped[str]
    is_by_machine: Mapped[bool] = mapped_column(default=False, server_default="false")
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
