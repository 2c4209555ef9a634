"""Careful reading of JSON that Stripe, an old API version or an imitation of Stripe wrote. Knows shapes, no objects.

Whatever is missing, null or of another type reads as "not said"; nothing here raises.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

_FIRST_MOMENT = datetime.fromtimestamp(0, UTC)


def at(data: Any, *path: str) -> Any:
    """The value at `path`, or None as soon as a step is missing."""
    for step in path:
        if not isinstance(data, dict):
            return None
        data = data.get(step)
    return data


def text(data: Any, *path: str) -> str | None:
    """A non-empty string, or None."""
    value = at(data, *path)
    return value if isinstance(value, str) and value else None


def whole(data: Any, *path: str) -> int | None:
    """A whole number, or None; booleans are no numbers."""
    value = at(data, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def flag(data: Any, *path: str) -> bool:
    """True only where the value is true."""
    return at(data, *path) is True


def table(data: Any, *path: str) -> Json | None:
    """A JSON object, or None."""
    value = at(data, *path)
    return value if isinstance(value, dict) else None


def rows(data: Any, *path: str) -> list[Json]:
    """The objects of a list, given bare or as Stripe's `{"object": "list", "data": […]}`."""
    value = at(data, *path)
    if isinstance(value, dict):
        value = value.get("data")
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def texts(data: Any, *path: str) -> tuple[str, ...]:
    """The strings of a list."""
    value = at(data, *path)
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()


def reference(data: Any, *path: str) -> str | None:
    """The id of another object, whether it is named or expanded in place."""
    value = at(data, *path)
    return text(value, "id") if isinstance(value, dict) else (value if isinstance(value, str) and value else None)


def moment(data: Any, *path: str) -> datetime | None:
    """Unix seconds (API v1) or an ISO text (API v2) as an aware UTC moment; None when unsaid or absurd."""
    value = at(data, *path)
    try:
        if isinstance(value, str) and value:
            parsed = datetime.fromisoformat(value)
            return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def moment_or_epoch(data: Any, *path: str) -> datetime:
    """As `moment`, with 1970 where an object that always has a moment came without."""
    return moment(data, *path) or _FIRST_MOMENT


def metadata(data: Any) -> dict[str, str]:
    """The operator's own keys of an object, texts only."""
    found = table(data, "metadata") or {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def first_text(candidates: Iterator[str | None]) -> str | None:
    """The first candidate that says anything."""
    return next((candidate for candidate in candidates if candidate), None)
