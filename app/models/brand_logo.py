"""A picture uploaded as an organization's logo. Never changed: mails that were sent show the one of their day."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key


class BrandLogo(TenantRecord):
    __tablename__ = "brand_logos"
    __table_args__ = (
        UniqueConstraint("organization_id", "digest"),
        CheckConstraint("media_type in ('image/png', 'image/jpeg', 'image/webp')", name="picture"),
        CheckConstraint("octet_length(content) <= 204800", name="small"),
    )

    id: Mapped[UUID] = uuid_key()
    media_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[str]
