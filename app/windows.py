"""Requests counted in moving windows: in Redis, shared by all web processes; while Redis is away each process counts
for itself. Knows neither what is counted nor how much of it is too much.
"""

from collections.abc import Callable
from typing import TypeVar

from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from app.log import get_logger

T = TypeVar("T")

log = get_logger(__name__)


class SharedWindows:
    """The windows that all processes share, with this one's own behind them."""

    def __init__(self, redis_url: str) -> None:
        storage = storage_from_string(redis_url, wrap_exceptions=True, socket_timeout=1, socket_connect_timeout=1)
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())

    def count(self, take: Callable[[MovingWindowRateLimiter], T]) -> T:
        """What `take` comes to with the windows that can be reached."""
        try:
            return take(self._shared)
        except StorageError as problem:
            log.warning("windows.alone", problem=type(problem.storage_error).__name__)
            return take(self._own)
