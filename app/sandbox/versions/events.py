"""Events in the version that their receiver asked for, frozen when they happen: later on the links are others."""

from typing import Any

import orjson

from app.sandbox.store import Doc, Store
from app.sandbox.versions.shapes import Books, is_old, shaped

KIND = "_rendered"
_DEFAULT = "_version"


def default_version(books: Books | Store, present: str) -> str:
    """The API version of an account; `present` unless it was set."""
    kept = books.find(_DEFAULT, "account")
    version: str = kept["version"] if kept else present
    return version


def set_default(store: Store, version: str, now: int) -> None:
    """From now on the account's events, and answers to requests that name no version, are of this version."""
    store.put(_DEFAULT, {"id": "account", "version": version}, now, {})


def freeze(books: Books, store: Store, event: Doc, versions: set[str]) -> None:
    """Keep what the event's data look like in each older version that somebody will want."""
    for version in versions:
        if is_old(version):
            data = _data(books, event["data"], version)
            store.put(KIND, {"id": f"{event['id']}@{version}", "data": data}, event["created"], {})


def as_of(store: Store, event: Doc, version: str | None) -> Doc:
    """The event as a receiver of `version` is sent it, None meaning the version of its creation."""
    wanted = version or event["api_version"]
    kept = store.find(KIND, f"{event['id']}@{wanted}") if is_old(wanted) else None
    return {**event, "api_version": wanted, "data": kept["data"] if kept else event["data"]}


def _data(books: Books, data: Doc, version: str) -> Doc:
    copied: Any = orjson.loads(orjson.dumps(data))
    copied["object"] = shaped(books, copied["object"], version)
    previous = copied.get("previous_attributes") or {}
    items = previous.get("items", {}).get("data") if isinstance(previous.get("items"), dict) else None
    if items and copied["object"].get("object") == "subscription":
        for name in ("current_period_start", "current_period_end"):
            previous[name] = items[0].pop(name, None)
    return {name: value for name, value in copied.items() if value is not None}
