"""The fixed ladder: so many days after the failure, spread a little so that no two cases knock at the same second.

Refuses to know any rule; it only says when it would like to try.
"""

from datetime import datetime, timedelta
from hashlib import sha256

from app.retries.facts import CaseFacts, RetryPolicy


def fraction(seed: str, number: int) -> float:
    """A number from 0 up to 1 that is always the same for a case and a rung, and differs between cases."""
    digest = sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def rung(facts: CaseFacts, policy: RetryPolicy, number: int) -> datetime:
    """When the ladder wants try `number` (0 is the first after the failure), spread to both sides."""
    spread = timedelta(minutes=policy.jitter_minutes) * (2 * fraction(facts.seed, number) - 1)
    return facts.failed_at + timedelta(days=policy.ladder_days[number]) + spread


def spread_after_opening(facts: CaseFacts, policy: RetryPolicy, number: int) -> timedelta:
    """How long after the day opens try `number` goes out, when the night moved it there."""
    longest = timedelta(minutes=min(policy.jitter_minutes, 30 * (policy.close_hour - policy.open_hour)))
    return longest * fraction(facts.seed, number)
