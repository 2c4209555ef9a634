"""A key to the JSON API: its visible prefix and the hash of the whole. A key that may write can also sign tokens for
the embedded notice; that secret must be used to check them, and is therefore sealed and not hashed.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key


class ApiKey(TenantRecord):
    __tablename__ = "api_keys"

    id: Mapped[UUID] = uuid_key()
    name: Mapped[str]
    prefix: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[bytes]
    sealed_signing_secret: Mapped[bytes | None]
    scopes: Mapped[list[Any]] = mapped_column(default=list)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    def context(self, column: str) -> str:
        """What a sealed column of this row is bound to (see `app.crypto`)."""
        return f"{self.organization_id}/api_keys/{self.id}/{column}"
