"""How sure a share or a sum can be after so few cases. Pure statistics."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

_Z = 1.959964  # two-sided 95%
_RESAMPLES = 2000


def wilson(successes: int, of: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share (E. B. Wilson, 1927); the whole range where nothing was counted."""
    if of == 0:
        return 0.0, 1.0
    share, square = successes / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_share(recovered: Sequence[int], owed: Sequence[int], seed: int) -> tuple[float, float]:
    """The 95% percentile interval of recovered money over owed money, by drawing whole cases again and again."""
    if not owed:
        return 0.0, 1.0
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(owed), size=(_RESAMPLES, len(owed)))
    shares = np.asarray(recovered)[drawn].sum(axis=1) / np.asarray(owed)[drawn].sum(axis=1)
    low, high = np.percentile(shares, (2.5, 97.5))
    return float(low), float(high)
