"""One Stripe account in one mode (live or test) that an organization has connected. Its secrets are sealed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import ConnectionMode, ConnectionStatus, Enforcement


class Connection(TenantRecord):
    __tablename__ = "connections"
    __table_args__ = (UniqueConstraint("organization_id", "account_id", "livemode"),)

    id: Mapped[UUID] = uuid_key()
    account_id: Mapped[str]
    account_name: Mapped[str | None]
    livemode: Mapped[bool]
    mode: Mapped[ConnectionMode] = word(ConnectionMode)
    enforcement: Mapped[Enforcement] = word(Enforcement, default=Enforcement.ENFORCE, server_default="enforce")
    switches: Mapped[int] = mapped_column(default=0, server_default="0")
    stripe_mails: Mapped[bool] = mapped_column(default=False, server_default="false")
    status: Mapped[ConnectionStatus] = word(ConnectionStatus)
    status_reason: Mapped[str | None]
    sealed_api_key: Mapped[bytes]
    sealed_webhook_secrets: Mapped[bytes]
    webhook_endpoint_id: Mapped[str | None]
    publishable_key: Mapped[str | None]
    created_at: Mapped[datetime]

    def context(self, column: str) -> str:
        """What a sealed column of this row is bound to (see `app.crypto`)."""
        return f"{self.organization_id}/connections/{self.id}/{column}"
