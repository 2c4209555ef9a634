"""Counts tries to sign in, so that guessing becomes slow and nobody can be locked out by a stranger.

One place gets ten tries for one person in a quarter of an hour. All places together get ever fewer the longer it goes
on, a hundred a day at most (NIST SP 800-63B-4, 3.2.2), but places where the person has signed in of late do not share
in that: whoever guesses elsewhere keeps the owner out of nothing (OWASP ASVS 5.0, 6.1.1 and 6.3.1). A try is counted
before the password is looked at, so that many at once are no way round.

E-mail addresses are stored only as keyed hashes.
"""

import hashlib
import hmac
import math
from datetime import datetime

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.strategies import MovingWindowRateLimiter

from app.windows import SharedWindows

FROM_HERE = RateLimitItemPerMinute(10, 15, namespace="sign-in-here")
OF_ADDRESS = RateLimitItemPerMinute(100, 15, namespace="sign-in-address")
FROM_ANYWHERE = (
    RateLimitItemPerMinute(20, 15, namespace="sign-in-person"),
    RateLimitItemPerHour(50, 6, namespace="sign-in-person"),
    RateLimitItemPerDay(100, namespace="sign-in-person"),
)
KNOWN_FOR = 30 * 24 * 3600  # seconds

Counted = tuple[RateLimitItem, tuple[str, ...]]


class SignInThrottle(SharedWindows):
    """Tries by person and network address, by network address, and by person."""

    def __init__(self, redis_url: str, secret_key: str) -> None:
        super().__init__(redis_url)
        self._key = secret_key.encode()

    def try_now(self, address: str, email: str, now: datetime) -> int:
        """Count one try from `address` as `email`; 0, or how many seconds to wait when there were too many already."""
        return self.count(lambda limiter: _try(limiter, address, self._hidden(email), now))

    def succeeded(self, address: str, email: str) -> None:
        """The person signed in: earlier slips are forgiven, and the place is known from now on."""
        self.count(lambda limiter: _remember(limiter, address, self._hidden(email)))

    def _hidden(self, email: str) -> str:
        return hmac.new(self._key, email.strip().lower().encode(), hashlib.sha256).hexdigest()


def _try(limiter: MovingWindowRateLimiter, address: str, person: str, now: datetime) -> int:
    counted: list[Counted] = [(FROM_HERE, (person, address)), (OF_ADDRESS, (address,))]
    if not limiter.storage.get(_known(address, person)):
        counted += [(item, (person,)) for item in FROM_ANYWHERE]
    # What is full already is asked first, so that a refused try is not counted against the others.
    full = [one for one in counted if not limiter.test(one[0], *one[1])]
    full = full or [one for one in counted if not limiter.hit(one[0], *one[1])]
    ends = (limiter.get_window_stats(item, *who).reset_time for item, who in full)
    return max((max(math.ceil(end - now.timestamp()), 1) for end in ends), default=0)


def _remember(limiter: MovingWindowRateLimiter, address: str, person: str) -> None:
    limiter.clear(FROM_HERE, person, address)
    limiter.storage.clear(_known(address, person))
    limiter.storage.incr(_known(address, person), KNOWN_FOR)


def _known(address: str, person: str) -> str:
    return f"sign-in-known/{person}/{address}"
