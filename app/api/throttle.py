"""How often one key, one network address, and one customer's notice may be asked for.

Addresses guess at keys slowly, and whoever guesses from an address keeps no good key from working there.
"""

import hashlib
import math
from datetime import datetime

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from app.windows import SharedWindows

OF_KEY = RateLimitItemPerMinute(600, namespace="api-key")
WRONG_KEYS = RateLimitItemPerMinute(30, namespace="api-wrong-keys")
OF_NOTICE = RateLimitItemPerMinute(60, namespace="embed-token")
NOTICES_OF_ADDRESS = RateLimitItemPerMinute(600, namespace="embed-address")


class ApiThrottle(SharedWindows):
    """Counts requests."""

    def take(self, item: RateLimitItem, who: str, wall: datetime) -> int:
        """Count one request; 0, or how many seconds to wait when there were too many. `who` is kept as a hash."""
        hidden = hashlib.sha256(who.encode()).hexdigest()[:32]
        return self.count(lambda windows: _take(windows, item, hidden, wall))


def _take(limiter: MovingWindowRateLimiter, item: RateLimitItem, who: str, wall: datetime) -> int:
    if limiter.hit(item, who):
        return 0
    return max(math.ceil(limiter.get_window_stats(item, who).reset_time - wall.timestamp()), 1)
