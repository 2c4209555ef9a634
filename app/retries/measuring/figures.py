"""The figures of a contest: shares with intervals, paired differences on common luck, calibration.

Refuses to know who played.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.retries.measuring.contest import Played

Z95 = 1.959964
BINS = 10


@dataclass(frozen=True)
class Figures:
    """What one contestant reached, over all failed payments of the world, also those that nobody may retry."""

    recovered_share: float
    interval95: tuple[float, float]
    attempts_per_case: float
    violations: int
    mean_days_to_recovery: float | None
    plan_ms_mean: float
    plan_ms_p99: float
    calibration_error: float | None


def figures(played: Sequence[Played]) -> Figures:
    """The figures of one contestant's cases."""
    won = np.array([one.recovered for one in played], dtype=float)
    spent = np.array([ms for one in played for ms in one.plan_ms])
    days = [one.days for one in played if one.recovered]
    return Figures(
        recovered_share=float(won.mean()),
        interval95=wilson(int(won.sum()), len(won)),
        attempts_per_case=float(np.mean([one.tries for one in played])),
        violations=sum(len(one.violations) for one in played),
        mean_days_to_recovery=float(np.mean(days)) if days else None,
        plan_ms_mean=float(spent.mean()) if len(spent) else 0.0,
        plan_ms_p99=float(np.percentile(spent, 99)) if len(spent) else 0.0,
        calibration_error=calibration_error([pair for one in played for pair in one.forecasts]),
    )


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share."""
    share, spread = hits / of, Z95**2 / of
    middle, half = share + spread / 2, Z95 * np.sqrt(share * (1 - share) / of + Z95**2 / (4 * of**2))
    return float((middle - half) / (1 + spread)), float((middle + half) / (1 + spread))


@dataclass(frozen=True)
class Difference:
    """How much more `planner` recovered than `against` on the same cases with the same luck, in shares of all."""

    planner: str
    against: str
    difference: float
    interval95: tuple[float, float]
    attempts_ratio: float


def difference(name: str, played: Sequence[Played], other: str, others: Sequence[Played]) -> Difference:
    """The paired difference of two contestants over the same cases."""
    each = np.array([float(a.recovered) - float(b.recovered) for a, b in zip(played, others, strict=True)])
    half = Z95 * float(each.std(ddof=1)) / np.sqrt(len(each)) if len(each) > 1 else 0.0
    middle = float(each.mean())
    tries, other_tries = (sum(one.tries for one in side) for side in (played, others))
    return Difference(
        name, other, middle, (middle - float(half), middle + float(half)), tries / other_tries if other_tries else 0.0
    )


@dataclass(frozen=True)
class Bin:
    """Forecasts between two chances: how many, what they said on average, and what came."""

    count: int
    said: float
    came: float


def calibration_table(forecasts: Sequence[tuple[float, bool]]) -> list[Bin]:
    """The forecasts in ten bins of equal width, empty ones left out."""
    said, came = _columns(forecasts)
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    masks = [place == number for number in range(BINS)]
    return [
        Bin(int(mask.sum()), float(said[mask].mean()), float(came[mask].mean())) for mask in masks if mask.any()
    ]  # fmt: skip


def calibration_error(forecasts: Sequence[tuple[float, bool]]) -> float | None:
    """The mean distance between what was said and what came, over bins weighted by their size; None without any."""
    table = calibration_table(forecasts)
    total = sum(one.count for one in table)
    return sum(one.count * abs(one.said - one.came) for one in table) / total if total else None


def _columns(forecasts: Sequence[tuple[float, bool]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    table = np.array(forecasts, dtype=float).reshape(-1, 2)
    return table[:, 0], table[:, 1]
