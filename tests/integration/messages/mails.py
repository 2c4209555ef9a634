"""One outgoing mail, as the outbox hands it to a sender."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.messages.senders.port import OutgoingMail

MAIL = OutgoingMail(
    organization_id=UUID(int=1),
    message_id=UUID(int=2),
    send_number=1,
    moment=datetime(2026, 9, 1, 9, tzinfo=UTC),
    kind="payment_failed",
    from_name="Northwind Tools",
    from_email="billing@northwind.example.com",
    reply_to="help@northwind.example.com",
    to="anna.schmidt@example.com",
    subject="Zahlung über 49,00 €",
    text="Grüße\n.ein Punkt am Anfang\nhttps://pay.example.com/pay/abc\n",
    html="<p>Grüße</p>",
    locale="de",
)


def mail(**changes: Any) -> OutgoingMail:
    """The mail, with what the test wants different."""
    return replace(MAIL, **changes)
