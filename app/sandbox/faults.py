"""Trouble on demand: refusals, slowness, cut connections, and webhooks that go astray. Held in memory.

A restart is a calm day. Each fault has dice of its own, so that the same one strikes the same way beside any other.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from app.sandbox.errors import StripeRefusal, bad_param

REQUEST_FAULTS = ("http_429", "http_500", "http_500_after", "slow", "cut_before", "cut_after")
DELIVERY_FAULTS = ("lost_webhook", "double_webhook", "late_webhook")
WEBHOOK_FAULTS = (*DELIVERY_FAULTS, "shuffle_webhook")

# What each does, in words for people.
KINDS = {
    "lost_webhook": "Webhooks never arrive; Stripe believes that they did.",
    "late_webhook": "Webhooks arrive late, an hour unless said otherwise, by the sandbox's clock.",
    "double_webhook": "Webhooks arrive twice.",
    "shuffle_webhook": "Webhooks of one moment arrive in any order.",
    "http_429": "Stripe answers that it is asked too often.",
    "http_500": "Stripe answers with an error, and did nothing.",
    "http_500_after": "Stripe answers with an error, and did what was asked all the same.",
    "slow": "Stripe answers slowly, a second unless said otherwise.",
    "cut_before": "The connection is cut before Stripe does anything.",
    "cut_after": "The connection is cut after Stripe has done what was asked: a charge whose answer is lost.",
}
_SECONDS = {"slow": 1.0, "late_webhook": 3600.0}
_MOST_SECONDS = {"slow": 600.0, "late_webhook": 3 * 86_400.0}


@dataclass
class Fault:
    """One kind of trouble: with probability `rate`, for at most `count` occasions and `minutes` of the sandbox's time.

    `path` must be part of the request's path, or of the event's type. `seconds` is how slow a slow answer is, in real
    seconds, or how late a late webhook, in the sandbox's. `id`, `until` (Unix seconds) and `struck` are the sandbox's.
    """

    kind: str
    rate: float = 1.0
    count: int | None = None
    path: str = ""
    method: str = ""
    seconds: float | None = None
    minutes: float | None = None
    seed: int | None = None
    id: str = ""
    until: int | None = None
    struck: int = 0
    _dice: random.Random = field(default_factory=random.Random, repr=False)

    def public(self) -> dict[str, object]:
        """All of it that people may see."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class Faults:
    """The faults that are switched on. `now` is the sandbox's moment in Unix seconds."""

    def __init__(self, now: Callable[[], int] | None = None) -> None:
        self._lock = threading.Lock()
        self._active: list[Fault] = []
        self._added = 0
        self._now = now or (lambda: 0)

    def add(self, fault: Fault) -> Fault:
        """Switch one on; raises a 400 for what cannot be."""
        _check(fault)
        with self._lock:
            self._added += 1
            fault.id = f"fault_{self._added}"
            fault.seconds = _SECONDS.get(fault.kind) if fault.seconds is None else fault.seconds
            fault.until = None if fault.minutes is None else self._now() + int(fault.minutes * 60)
            seed = self._added if fault.seed is None else fault.seed
            fault._dice = random.Random(seed)  # noqa: S311 - a repeatable run, not a secret
            self._active.append(fault)
        return fault

    def clear(self, identifier: str | None = None) -> None:
        """Switch all off, or one; raises a 404 for one that is not on."""
        with self._lock:
            if identifier is None:
                self._active.clear()
                return
            left = [fault for fault in self._active if fault.id != identifier]
            if len(left) == len(self._active):
                raise StripeRefusal(404, f"No fault {identifier!r} is switched on.", code="resource_missing")
            self._active = left

    def listed(self) -> list[Fault]:
        """What is switched on."""
        with self._lock:
            self._end_those_over()
            return list(self._active)

    def strike(self, kinds: tuple[str, ...], path: str, method: str = "") -> Fault | None:
        """The fault, if any, that hits this request or event; counted down when it does."""
        with self._lock:
            self._end_those_over()
            for fault in self._active:
                if fault.kind in kinds and fault.path in path and fault.method in ("", method) and _falls(fault):
                    self._count(fault)
                    return fault
        return None

    def shuffled(self, rows: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
        """The rows in a random order, if a fault wants them so."""
        fault = self.strike(("shuffle_webhook",), "")
        return fault._dice.sample(rows, len(rows)) if fault else rows

    def _count(self, fault: Fault) -> None:
        fault.struck += 1
        if fault.count is not None:
            fault.count -= 1
            if fault.count <= 0:
                self._active.remove(fault)

    def _end_those_over(self) -> None:
        if any(fault.until is not None for fault in self._active):
            now = self._now()
            self._active = [fault for fault in self._active if fault.until is None or now < fault.until]


def _falls(fault: Fault) -> bool:
    return fault.rate >= 1 or fault._dice.random() < fault.rate


def _check(fault: Fault) -> None:
    if fault.kind not in KINDS:
        raise bad_param("kind", f"kind must be one of {', '.join(KINDS)}")
    if fault.seconds is not None:
        most = _MOST_SECONDS.get(fault.kind)
        if most is None:
            raise bad_param("seconds", f"{fault.kind} knows no seconds; {' and '.join(_MOST_SECONDS)} do")
        if not 0 <= fault.seconds <= most:
            raise bad_param("seconds", f"{fault.kind} takes from 0 to {most:.0f} seconds, not {fault.seconds:g}")
    if fault.kind == "shuffle_webhook" and fault.path:
        raise bad_param("path", "shuffle_webhook mixes whatever arrives together; it cannot be aimed")
    if fault.method and fault.kind not in REQUEST_FAULTS:
        raise bad_param("method", f"{fault.kind} strikes webhooks, which have no method; aim it by `path`")
