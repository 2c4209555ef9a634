"""One mail to one address, with its own small life. Written as `claimed` before the sender is called.

Most are about a case; a notice is about an invoice or a subscription that has none. `addressee` is set for a billing
contact beside the customer's own address; `recipient` is whom the mail was really sent to.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import TenantRecord, uuid_key, word
from app.vocabulary import MessageState


class Message(TenantRecord):
    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("case_id", "key"),
        CheckConstraint(
            "case_id is not null or invoice_id is not null or subscription_id is not null", name="is_about_something"
        ),
        CheckConstraint("state <> 'claimed' or lease_token is not null", name="claimed_has_a_token"),
        CheckConstraint("sends <= 2", name="resent_once_at_most"),
        Index(
            "ix_messages_unfinished", "next_try_at", postgresql_where=text("state in ('planned','claimed','unknown')")
        ),
        Index("ix_messages_list", "organization_id", "planned_at"),
        Index(
            "uq_messages_without_case",
            "customer_id",
            "key",
            unique=True,
            postgresql_where=text("case_id is null"),
        ),
        Index("ix_messages_recipient", "organization_id", text("lower(recipient)"), "claimed_at"),
    )

    id: Mapped[UUID] = uuid_key()
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("recovery_cases.id", ondelete="CASCADE"))
    invoice_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoices.id", ondelete="CASCADE"), index=True)
    subscription_id: Mapped[UUID | None] = mapped_column(ForeignKey("subscriptions.id", ondelete="CASCADE"), index=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    step_id: Mapped[UUID | None] = mapped_column(ForeignKey("steps.id", ondelete="SET NULL"))
    key: Mapped[str]
    kind: Mapped[str]
    variant: Mapped[str | None]
    addressee: Mapped[str | None]
    state: Mapped[MessageState] = word(MessageState, default=MessageState.PLANNED)
    reason: Mapped[str | None]
    recipient: Mapped[str | None]
    locale: Mapped[str | None]
    subject: Mapped[str | None]
    text_body: Mapped[str | None]
    html_body: Mapped[str | None]
    sender: Mapped[str | None]
    provider_message_id: Mapped[str | None]
    planned_at: Mapped[datetime]
    next_try_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    sends: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[UUID | None]
    claimed_at: Mapped[datetime | None]
    unknown_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    clicked_at: Mapped[datetime | None]
