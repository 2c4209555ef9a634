"""Rate limits in real time, off until they are switched on. Held in memory: a restart is a calm day.

Numbers from Stripe's documentation: a sandbox takes 25 requests a second in all and 25 for each operation, search 20.
An operation is a method with a path's pattern, whatever the id in it.
"""

import threading
import time
from dataclasses import dataclass

from app.sandbox.errors import StripeRefusal

GLOBAL, ENDPOINT, SEARCH = 25.0, 25.0, 20.0


@dataclass(frozen=True)
class Rates:
    """Requests a second: of an account in all, of each operation, and of each search."""

    account: float = GLOBAL
    endpoint: float = ENDPOINT
    search: float = SEARCH


class RateLimits:
    """Token buckets that hold one second's worth."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        self.rates: Rates | None = None

    def switch(self, rates: Rates | None) -> None:
        """Limit to these rates from now on, or not at all."""
        with self._lock:
            self.rates = rates
            self._buckets.clear()

    def admit(self, account: str, operation: str, now: float | None = None) -> None:
        """Let a request of an account pass; raises the 429. `now` is seconds of any clock that never runs back."""
        if self.rates is None:
            return
        moment = time.monotonic() if now is None else now
        of_operation = self.rates.search if operation.endswith("/search") else self.rates.endpoint
        with self._lock:
            for reason, name, rate in (
                ("endpoint-rate", operation, of_operation),
                ("global-rate", "", self.rates.account),
            ):
                if not self._take(account, name, rate, moment):
                    raise _too_many(reason)

    def _take(self, account: str, name: str, rate: float, now: float) -> bool:
        tokens, since = self._buckets.get((account, name), (rate, now))
        tokens = min(rate, tokens + (now - since) * rate)
        taken = tokens >= 1
        self._buckets[account, name] = (tokens - taken, now)
        return taken


def _too_many(reason: str) -> StripeRefusal:
    return StripeRefusal(
        429,
        "Request rate limit exceeded. Slow down: wait longer after each refusal, and spread requests out.",
        code="rate_limit",
        executed=False,
        headers={"Stripe-Rate-Limited-Reason": reason},
    )
