"""How often one key, one network address, and one customer's notice may be asked for.

Counts live in Redis, shared by all web processes; while Redis is away each process counts for itself. Addresses guess
at keys slowly, and whoever guesses from an address keeps no good key from working there.
"""

import hashlib
import math
from datetime import datetime

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from app.log import get_logger

OF_KEY = RateLimitItemPerMinute(600, namespace="api-key")
WRONG_KEYS = RateLimitItemPerMinute(30, namespace="api-wrong-keys")
OF_NOTICE = RateLimitItemPerMinute(60, namespace="embed-token")
NOTICES_OF_ADDRESS = RateLimitItemPerMinute(600, namespace="embed-address")

log = get_logger(__name__)


class ApiThrottle:
    """Counts requests in moving windows of a minute."""

    def __init__(self, redis_url: str) -> None:
        storage = storage_from_string(redis_url, wrap_exceptions=True, socket_timeout=1, socket_connect_timeout=1)
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())

    def take(self, item: RateLimitItem, who: str, wall: datetime) -> int:
        """Count one request; 0, or how many seconds to wait when there were too many. `who` is kept as a hash."""
        hidden = hashlib.sha256(who.encode()).hexdigest()[:32]
        try:
            return _take(self._shared, item, hidden, wall)
        except StorageError as problem:
            log.warning("api.throttle_alone", problem=type(problem.storage_error).__name__)
            return _take(self._own, item, hidden, wall)


def _take(limiter: MovingWindowRateLimiter, item: RateLimitItem, who: str, wall: datetime) -> int:
    if limiter.hit(item, who):
        return 0
    return max(math.ceil(limiter.get_window_stats(item, who).reset_time - wall.timestamp()), 1)
