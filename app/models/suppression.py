"""An address that must not be written to any more, and why (bounce, complaint, unsubscribe, operator)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from app.db import TenantRecord, uuid_key


class Suppression(TenantRecord):
    __tablename__ = "suppressions"
    __table_args__ = (Index("uq_suppressions_address", "organization_id", text("lower(address)"), unique=True),)

    id: Mapped[UUID] = uuid_key()
    address: Mapped[str]
    reason: Mapped[str]
    since: Mapped[datetime]
