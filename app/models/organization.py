"""A tenant: one operator's workspace, with the name and looks its customers see."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, uuid_key


class Organization(Base):
    __tablename__ = "organizations"

    id: Mapped[UUID] = uuid_key()
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    support_email: Mapped[str | None]
    support_url: Mapped[str | None]
    sender_name: Mapped[str | None]
    sender_email: Mapped[str | None]
    reply_to: Mapped[str | None]
    website: Mapped[str | None]
    postal_address: Mapped[str | None]
    brand_color: Mapped[str] = mapped_column(default="#1f5eff")
    logo_url: Mapped[str | None]
    logo_id: Mapped[UUID | None]
    timezone: Mapped[str] = mapped_column(default="UTC")
    default_locale: Mapped[str] = mapped_column(default="en")
    notices: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    embed_origins: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    created_at: Mapped[datetime]
