"""Asking Stripe evenly: long reading must leave room for the work that people wait for. Knows no request."""

import threading
import time
from collections.abc import Callable

PER_SECOND = 12.0
AT_ONCE = 10


class Pace:
    """At most `at_once` askings in a burst and `per_second` after it.

    With the standard values no second sees more than 22: Stripe allows 25 reads a second for an endpoint, and for a
    whole account in test mode.
    """

    def __init__(
        self,
        per_second: float = PER_SECOND,
        at_once: int = AT_ONCE,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap, self._lead = 1 / per_second, (at_once - 1) / per_second
        self._monotonic, self._sleep = monotonic, sleep
        self._lock = threading.Lock()
        self._next = float("-inf")

    def __call__(self) -> None:
        """Wait until it is this asking's turn."""
        with self._lock:
            now = self._monotonic()
            turn = max(self._next, now - self._lead)
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)


def at_once() -> None:
    """No pace: for what somebody waits for."""
