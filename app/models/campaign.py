"""What is done about a failed payment, in which order. Its content is in its versions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key


class Campaign(TenantRecord):
    __tablename__ = "campaigns"
    __table_args__ = (
        UniqueConstraint("organization_id", "slug"),
        Index(
            "uq_campaigns_default",
            "organization_id",
            unique=True,
            postgresql_where=text("is_default and archived_at is null"),
        ),
    )

    id: Mapped[UUID] = uuid_key()
    slug: Mapped[str]
    name: Mapped[str]
    position: Mapped[int]
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
