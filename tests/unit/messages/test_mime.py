"""What stands on the wire, byte by byte: a library that reads it back would hide what mail programs cannot read."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from app.messages.senders import mime
from app.messages.senders.port import OutgoingMail

TOKEN = "lCx2lieSStKSwfUmjNbbK9pZohFAi0oFht-dhido_tM.NVc0juIbQj40SNZpRLsOa9fHVn4"
WAY_OUT = f"https://billing.a-rather-long-name.example.com/unsubscribe/{TOKEN}"


def lines(**changes: Any) -> list[bytes]:
    """The header of a reminder as it leaves."""
    plain: dict[str, Any] = {
        "organization_id": UUID(int=1),
        "message_id": UUID(int=2),
        "send_number": 1,
        "moment": datetime(2027, 3, 31, 23, tzinfo=UTC),
        "kind": "reminder",
        "from_name": "Lumen Cloud",
        "from_email": "billing@lumen.example",
        "to": "hanako@example.com",
        "subject": "Business のお支払い ￥29,850 が未完了です",
        "text": "text",
        "html": "<p>html</p>",
        "locale": "ja-JP",
        "unsubscribe_url": WAY_OUT,
    }
    whole = mime.build(OutgoingMail(**(plain | changes))).as_bytes()
    return whole.partition(b"\r\n\r\n")[0].split(b"\r\n")


@pytest.mark.parametrize("to", ["hanako@example.com", "花子@example.com"])
def test_the_way_out_of_reminders_stands_on_one_line_as_it_is(to: str) -> None:
    header = lines(to=to)
    assert f"List-Unsubscribe: <{WAY_OUT}>".encode() in header
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in header


def test_all_else_is_folded_as_ever() -> None:
    header = lines()
    assert max(len(line) for line in header if not line.startswith(b"List-Unsubscribe:")) <= 78
    assert all(line.isascii() for line in header)


def test_the_language_of_a_mail_is_told() -> None:
    assert lines().count(b"Content-Language: ja-JP") == 1
