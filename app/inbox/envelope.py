"""What the inbox keeps of an event in columns, read from the raw body of any API version, snapshot or thin."""

import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from app.errors import RecoupError
from app.stripe_gateway.readers import read_event
from app.vocabulary import EventKind

MAX_ID = 255


class EventUnreadable(RecoupError):
    """The body is no Stripe event; the text says what is wrong with it."""


@dataclass(frozen=True)
class Envelope:
    """The outside of one event. `livemode` is None where an old or thin event does not say."""

    event_id: str
    kind: EventKind
    type: str
    api_version: str | None
    account: str | None
    livemode: bool | None
    object_type: str | None
    object_id: str | None
    created_at: datetime


def read_envelope(body: str, received_at: datetime) -> Envelope:
    """Read an event's outside; raises `EventUnreadable`."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise EventUnreadable("the body is not JSON") from problem
    if not isinstance(event, dict) or event.get("object") not in ("event", "v2.core.event"):
        raise EventUnreadable("the body is not a Stripe event")
    outside = read_event(event)
    return Envelope(
        event_id=_word(outside.id, "id"),
        kind=EventKind.THIN if event["object"] == "v2.core.event" else EventKind.SNAPSHOT,
        type=_word(outside.type, "type"),
        api_version=_maybe(outside.api_version),
        account=_maybe(outside.account),
        livemode=outside.livemode,
        object_type=_maybe(outside.object_type),
        object_id=_maybe(outside.object_id),
        created_at=outside.created or received_at,
    )


def compress(body: bytes) -> bytes:
    """The body as it is stored: the very bytes that were signed, squeezed."""
    return zlib.compress(body, 1)


def unpack(stored: bytes) -> dict[str, Any]:
    """A stored body as a plain dict."""
    event: dict[str, Any] = orjson.loads(zlib.decompress(stored))
    return event


def _word(value: str, name: str) -> str:
    if _maybe(value) is None:
        raise EventUnreadable(f"the event has no usable {name}")
    return value


def _maybe(value: str | None) -> str | None:
    return value if value and len(value) <= MAX_ID and "\x00" not in value else None
