"""What a subscription was before its final action, and how far that action and its undoing have come."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import FinalActionKind, FinalActionState


class SubscriptionSnapshot(TenantRecord):
    __tablename__ = "subscription_snapshots"
    __table_args__ = (UniqueConstraint("case_id"),)

    id: Mapped[UUID] = uuid_key()
    case_id: Mapped[UUID] = mapped_column(ForeignKey("recovery_cases.id", ondelete="CASCADE"))
    subscription_stripe_id: Mapped[str | None]
    action: Mapped[FinalActionKind] = word(FinalActionKind)
    state: Mapped[FinalActionState] = word(FinalActionState)
    reason: Mapped[str | None]
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
    schedule_before: Mapped[dict[str, Any] | None]
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    taken_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    restored_at: Mapped[datetime | None]

    @property
    def has_changed_subscription(self) -> bool:
        """Whether the action took something from the subscription; it may have changed the debt alone, or nothing."""
        return "subscription" in self.parameters.get("did", ())

    @property
    def is_chosen(self) -> bool:
        """Whether the customer chose it instead of paying; only they can take that back."""
        return bool(self.parameters.get("chosen", False))

    @property
    def resumes_at(self) -> datetime | None:
        """When a pause ends by itself, if it does (aware UTC)."""
        told = self.parameters.get("resumes_at")
        return datetime.fromisoformat(told) if told else None
