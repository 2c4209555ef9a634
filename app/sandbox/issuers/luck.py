"""Luck that belongs to whom and when: the same payer, question and moment draw the same number, always.

Refuses to know what is decided by it.
"""

from collections.abc import Mapping
from hashlib import blake2b
from math import exp
from statistics import NormalDist

_STANDARD = NormalDist()
_SPACE = float(1 << 64)


def luck(*whose: str | int) -> float:
    """An even number, above 0 and below 1, that belongs to these words and numbers."""
    mixed = blake2b(repr(whose).encode(), digest_size=8).digest()
    return (int.from_bytes(mixed) + 0.5) / _SPACE


def normal(*whose: str | int) -> float:
    """A standard normal number that belongs to these words and numbers."""
    return _STANDARD.inv_cdf(min(luck(*whose), 1 - 1e-16))


def lognormal(median: float, spread: float, *whose: str | int) -> float:
    """A log-normal number."""
    return median * exp(spread * normal(*whose))


def pick(weights: Mapping[str, float], *whose: str | int) -> str:
    """One of the names, as often as its weight says."""
    left = luck(*whose) * sum(weights.values())
    for name, weight in weights.items():
        left -= weight
        if left < 0:
            return name
    return next(reversed(list(weights)))


def below(standard_deviations: float) -> float:
    """The chance that a standard normal number is below this."""
    return _STANDARD.cdf(standard_deviations)
