"""Idempotency keys as Stripe keeps them: the first answer, whatever it was, is the answer for at least a day.

Kept: status and body, declines and server errors included. Not kept: refusals before anything was begun (401, 409, 429,
wrong parameters, unknown objects). The answer and the effect it reports are committed together.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from app.sandbox.errors import StripeRefusal
from app.sandbox.policy import DAY
from app.sandbox.store import Store

LONGEST_KEY = 255


@dataclass(frozen=True)
class Answer:
    """A status and a body, and which request they first answered."""

    status: int
    body: bytes
    request_id: str
    replayed: bool = False


def fingerprint(method: str, path: str, params: dict[str, Any]) -> str:
    """What must be equal for two requests to be the same."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), _canonical(params)))).hexdigest()


def _canonical(params: dict[str, Any]) -> bytes:
    return orjson.dumps(params, option=orjson.OPT_SORT_KEYS)


class InFlight:
    """The keys whose first request is still being worked on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()

    @contextmanager
    def hold(self, key: str | None) -> Iterator[None]:
        """Hold a key for the block; raises the 409 when another request holds it."""
        if key is None:
            yield
            return
        with self._lock:
            if key in self._keys:
                raise _in_use()
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)


def _in_use() -> StripeRefusal:
    return StripeRefusal(
        409,
        "There is currently another in-progress request using this idempotency key; try again when it has finished.",
        code="idempotency_key_in_use",
        kind="idempotency_error",
        executed=False,
    )


def recall(store: Store, key: str, print_of_request: str, now: int) -> Answer | None:
    """The kept answer, or None; raises the 400 when the key was used with other parameters."""
    rows = store.fetch("select fingerprint, status, body, request_id, first_used from answers where key = ?", key)
    if not rows:
        return None
    kept, status, body, request_id, first_used = rows[0]
    if first_used < now - DAY:
        return None
    if kept != print_of_request:
        raise StripeRefusal(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were first used with."
            f" Try using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
            executed=False,
        )
    return Answer(status, body, request_id, replayed=True)


def keep(store: Store, key: str, print_of_request: str, answer: Answer, now: int) -> None:
    """Remember the answer, inside the transaction that has the effect."""
    store.execute(
        "insert or replace into answers (key, fingerprint, status, body, request_id, first_used)"
        " values (?, ?, ?, ?, ?, ?)",
        key,
        print_of_request,
        answer.status,
        answer.body,
        answer.request_id,
        now,
    )
