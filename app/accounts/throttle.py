"""Counts failed sign-ins by network address and by e-mail address, so that guessing becomes slow.

Counts live in Redis, shared by all web processes; while Redis is away each process counts for itself. E-mail
addresses are stored only as keyed hashes.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import TypeVar

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from app.log import get_logger

PER_EMAIL = RateLimitItemPerMinute(10, 15)
PER_ADDRESS = RateLimitItemPerMinute(50, 15)

log = get_logger(__name__)
T = TypeVar("T")


class FailureThrottle:
    """Ten failures an e-mail address and fifty a network address in fifteen minutes; successes are not counted."""

    def __init__(self, redis_url: str, secret_key: str) -> None:
        storage = storage_from_string(redis_url, wrap_exceptions=True, socket_timeout=1, socket_connect_timeout=1)
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._key = secret_key.encode()

    def is_blocked(self, address: str, email: str) -> bool:
        """Whether either of the two has failed too often of late."""
        return not self._with_fallback(
            lambda limiter: (
                limiter.test(PER_EMAIL, "email", self._hidden(email)) and limiter.test(PER_ADDRESS, "address", address)
            )
        )

    def failed(self, address: str, email: str) -> None:
        """Count one failure against both."""
        self._with_fallback(
            lambda limiter: (
                limiter.hit(PER_EMAIL, "email", self._hidden(email)) and limiter.hit(PER_ADDRESS, "address", address)
            )
        )

    def _with_fallback(self, ask: Callable[[MovingWindowRateLimiter], T]) -> T:
        try:
            return ask(self._shared)
        except StorageError as problem:
            log.warning("throttle.redis_away", problem=type(problem.storage_error).__name__)
            return ask(self._own)

    def _hidden(self, email: str) -> str:
        return hmac.new(self._key, email.strip().lower().encode(), hashlib.sha256).hexdigest()
