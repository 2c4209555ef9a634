"""How often one network address, and one link, may be asked for: generous to a worried customer, tight for guessing.

Counts live in Redis, shared by all web processes; while Redis is away each process counts for itself. Links are
stored only as hashes.
"""

import hashlib

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from app.log import get_logger

VIEWS_OF_LINK = RateLimitItemPerMinute(90, namespace="pay-link-views")
VIEWS_OF_ADDRESS = RateLimitItemPerMinute(300, namespace="pay-address-views")
ACTS_ON_LINK = RateLimitItemPerMinute(12, namespace="pay-link-acts")
ACTS_OF_ADDRESS = RateLimitItemPerMinute(60, namespace="pay-address-acts")
WRONG_LINKS = RateLimitItemPerMinute(30, namespace="pay-wrong-links")

log = get_logger(__name__)


class PageThrottle:
    """Counts visits in moving windows of a minute."""

    def __init__(self, redis_url: str) -> None:
        storage = storage_from_string(redis_url, wrap_exceptions=True, socket_timeout=1, socket_connect_timeout=1)
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())

    def lets_in(self, address: str, token: str, *, acts: bool) -> bool:
        """Count one visit; False when the address, or the link, has been used too often in the last minute."""
        link = hashlib.sha256(token.encode()).hexdigest()
        of_link, of_address = (ACTS_ON_LINK, ACTS_OF_ADDRESS) if acts else (VIEWS_OF_LINK, VIEWS_OF_ADDRESS)
        return self._hit(of_link, link) and self._hit(of_address, address)

    def bears_wrong(self, address: str) -> bool:
        """Count a link that nobody signed; False for whoever tries many of them and so is guessing. Their good links
        go on working, and those of everybody behind the same address."""
        return self._hit(WRONG_LINKS, address)

    def _hit(self, item: RateLimitItem, key: str) -> bool:
        try:
            return self._shared.hit(item, key)
        except StorageError as problem:
            log.warning("pay.throttle_alone", problem=type(problem.storage_error).__name__)
            return self._own.hit(item, key)
