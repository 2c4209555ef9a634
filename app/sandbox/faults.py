"""Trouble on demand: refusals, slowness, cut connections, and webhooks that go astray. Held in memory.

A restart is a calm day.
"""

import random
import threading
from dataclasses import dataclass

from app.sandbox.errors import bad_param

REQUEST_FAULTS = ("http_429", "http_500", "http_500_after", "slow", "cut_before", "cut_after")
WEBHOOK_FAULTS = ("lost_webhook", "double_webhook", "shuffle_webhook")


@dataclass
class Fault:
    """One kind of trouble: for `count` occasions, or with probability `rate`.

    `path` must be part of the request's path, or of the event's type. `seconds` is how long a slow answer takes.
    """

    kind: str
    rate: float = 1.0
    count: int | None = None
    path: str = ""
    method: str = ""
    seconds: float = 1.0


class Faults:
    """The faults that are switched on."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._active: list[Fault] = []
        self._dice = random.Random(seed)  # noqa: S311 - a repeatable run, not a secret

    def add(self, fault: Fault) -> None:
        """Switch one on; raises a 400 for an unknown kind."""
        if fault.kind not in REQUEST_FAULTS + WEBHOOK_FAULTS:
            raise bad_param("kind", f"kind must be one of {', '.join(REQUEST_FAULTS + WEBHOOK_FAULTS)}")
        with self._lock:
            self._active.append(fault)

    def clear(self) -> None:
        """Switch all off."""
        with self._lock:
            self._active.clear()

    def listed(self) -> list[Fault]:
        """What is switched on."""
        with self._lock:
            return list(self._active)

    def strike(self, kinds: tuple[str, ...], path: str, method: str = "") -> Fault | None:
        """The fault, if any, that hits this request or event; counted down when it does."""
        with self._lock:
            for fault in self._active:
                if fault.kind in kinds and fault.path in path and fault.method in ("", method):
                    if fault.count is None and self._dice.random() >= fault.rate:
                        continue
                    if fault.count is not None:
                        fault.count -= 1
                        if fault.count <= 0:
                            self._active.remove(fault)
                    return fault
        return None

    def shuffled(self, rows: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
        """The rows in a random order."""
        with self._lock:
            return self._dice.sample(rows, len(rows))
