"""SendGrid's event webhook, read: is the batch really theirs, and what does it say in our words. Stores nothing.

Tolerant of everything a signed batch may hold: an event that is not about one of our messages, or that cannot be
understood, is left out and never spoils the others. Addresses, links and devices are left out too.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sendgrid.helpers.eventwebhook import EventWebhook

from app.errors import RecoupError
from app.log import masked
from app.messages.words import SuppressedBecause

PROVIDER = "sendgrid"
CUSTOM_ARGUMENT = "recoup_message"
_LONGEST_TEXT = 500


class EventsForged(RecoupError):
    """The batch is not signed by the key that SendGrid showed us, or not at all."""


class EventsUnreadable(RecoupError):
    """A signed batch that is no JSON array of events."""


class EventType(StrEnum):
    """What SendGrid reports of one mail."""

    PROCESSED = "processed"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCE = "bounce"
    DROPPED = "dropped"
    OPEN = "open"
    CLICK = "click"
    SPAMREPORT = "spamreport"
    UNSUBSCRIBE = "unsubscribe"
    GROUP_UNSUBSCRIBE = "group_unsubscribe"
    GROUP_RESUBSCRIBE = "group_resubscribe"


@dataclass(frozen=True)
class Report:
    """One event about one of our messages. `data` holds what helps a person understand it, and no address."""

    organization_id: UUID
    message_id: UUID
    event_id: str
    type: EventType
    happened_at: datetime
    data: dict[str, Any]
    is_by_machine: bool = False
    suppresses: SuppressedBecause | None = None


def check_signature(public_key: str, body: bytes, signature: str | None, timestamp: str | None) -> None:
    """Raise `EventsForged` unless `body`, as it came, was signed with the private half of `public_key` (base64 DER).

    The age of the timestamp is not looked at: SendGrid redelivers for a day under the first signature, and a batch
    that is played again changes nothing.
    """
    if not signature or not timestamp:
        raise EventsForged("the signature headers are missing")
    try:
        is_theirs = EventWebhook(public_key).verify_signature(body.decode(), signature, timestamp)
    except Exception as problem:
        # The helper answers bad base64, a key of another form or another curve with whatever error it runs into.
        raise EventsForged("the signature cannot be checked; see SENDGRID_WEBHOOK_KEY") from problem
    if not is_theirs:
        raise EventsForged("the signature does not match")


def read_batch(body: bytes, now: datetime) -> list[Report]:
    """The events of a batch that are about our messages, oldest first. Raises `EventsUnreadable`."""
    try:
        events = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise EventsUnreadable("the body is no JSON") from problem
    if not isinstance(events, list):
        raise EventsUnreadable("the body is no array of events")
    reports = [report for event in events if (report := _read(event, now))]
    return sorted(reports, key=lambda report: report.happened_at)


def _read(event: Any, now: datetime) -> Report | None:
    if not isinstance(event, dict) or event.get("event") not in list(EventType):
        return None
    ids = _ids(event.get(CUSTOM_ARGUMENT))
    if ids is None:
        return None
    kind = EventType(event["event"])
    return Report(
        organization_id=ids[0],
        message_id=ids[1],
        event_id=_event_id(event),
        type=kind,
        happened_at=_moment(event.get("timestamp"), now),
        data=_data(event),
        is_by_machine=_is_by_machine(kind, event),
        suppresses=_suppresses(kind, event),
    )


def _is_by_machine(kind: EventType, event: dict[str, Any]) -> bool:
    """Whether an open was no person's: SendGrid says so of Apple's Mail Privacy Protection, which fetches every picture
    of every mail, and what fetches for it names no more of itself than `Mozilla/5.0`. Google's image proxy fetches when
    somebody looks, and is not counted among them."""
    if kind is not EventType.OPEN:
        return False
    return event.get("sg_machine_open") in (True, "true", 1) or event.get("useragent") == "Mozilla/5.0"


def _ids(reference: Any) -> tuple[UUID, UUID] | None:
    try:
        organization, message = str(reference).split(".")
        return UUID(organization), UUID(message)
    except ValueError:
        return None


def _event_id(event: dict[str, Any]) -> str:
    """Theirs; or, where it is missing, one made from what tells two events of a message apart."""
    given = event.get("sg_event_id")
    if isinstance(given, str) and given:
        return _clean(given)
    parts = [str(event.get(name)) for name in (CUSTOM_ARGUMENT, "event", "timestamp", "attempt", "url")]
    return "made-" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _moment(timestamp: Any, now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(int(timestamp), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return now


def _data(event: dict[str, Any]) -> dict[str, Any]:
    kept = ("type", "status", "reason", "response", "bounce_classification", "attempt")
    return {name: _clean(str(event[name])) for name in kept if event.get(name) is not None}


def _clean(text: str) -> str:
    """Text that Postgres takes (no NUL, no half characters), with addresses masked, and not endless."""
    return masked(text.replace("\x00", "").encode("utf-8", "replace").decode())[:_LONGEST_TEXT]


# The documented values of `reason` of a dropped mail; they are values, although they read like sentences.
_DROPPED = {
    "bounced address": SuppressedBecause.BOUNCED,
    "invalid": SuppressedBecause.INVALID,
    "unsubscribed address": SuppressedBecause.UNSUBSCRIBED,
    "spam reporting address": SuppressedBecause.SPAM_REPORT,
}
_ALWAYS = {
    EventType.SPAMREPORT: SuppressedBecause.SPAM_REPORT,
    EventType.UNSUBSCRIBE: SuppressedBecause.UNSUBSCRIBED,
    EventType.GROUP_UNSUBSCRIBE: SuppressedBecause.UNSUBSCRIBED,
}


def _suppresses(kind: EventType, event: dict[str, Any]) -> SuppressedBecause | None:
    """A `blocked` bounce is about our reputation or a full mailbox, not about the address, and suppresses nothing."""
    if kind is EventType.BOUNCE:
        return None if event.get("type") == "blocked" else SuppressedBecause.BOUNCED
    if kind is EventType.DROPPED:
        return _DROPPED.get(str(event.get("reason")).strip().lower())
    return _ALWAYS.get(kind)
