"""Fitting the calibration: how far forecasts were off, held back by how little that is known of.

Two numbers for each decline group by penalized logistic regression (Newton's method). Refuses to know the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.retries.calibration import logit

OFFSET_SPREAD, SLOPE_SPREAD = 0.2, 0.15  # how far from (0, 1) a group is expected to be
SLOPES = 0.5, 1.5
NEWTON_STEPS = 12


@dataclass(frozen=True)
class Forecast:
    """A chance that was given, for a case of this decline group, and whether it came true."""

    group: str
    chance: float
    approved: bool


def log_loss(forecasts: Sequence[Forecast]) -> float:
    """The mean logarithmic loss; 0 for none."""
    if not forecasts:
        return 0.0
    chances = np.clip([each.chance for each in forecasts], 1e-4, 1 - 1e-4)
    approved = np.array([each.approved for each in forecasts])
    return float(-np.mean(np.where(approved, np.log(chances), np.log1p(-chances))))


def fit_calibration(forecasts: Sequence[Forecast]) -> dict[str, tuple[float, float]]:
    """For each group (offset, slope) of the logit; groups whose slope is out of all reason are left as they are."""
    fitted = {}
    for group in sorted({each.group for each in forecasts}):
        mine = [each for each in forecasts if each.group == group]
        odds = np.array([logit(each.chance) for each in mine])
        offset, slope = _newton(odds, np.array([each.approved for each in mine], dtype=float))
        if SLOPES[0] <= slope <= SLOPES[1]:
            fitted[group] = (offset, slope)
    return fitted


def _newton(odds: NDArray[np.float64], approved: NDArray[np.float64]) -> tuple[float, float]:
    columns, prior = np.column_stack([np.ones_like(odds), odds]), np.array([0.0, 1.0])
    hold, point = np.diag([OFFSET_SPREAD**-2, SLOPE_SPREAD**-2]), prior.copy()
    for _ in range(NEWTON_STEPS):
        said = 1 / (1 + np.exp(-np.clip(columns @ point, -30, 30)))
        slope = columns.T @ (approved - said) - hold @ (point - prior)
        curve = (columns * (said * (1 - said))[:, None]).T @ columns + hold
        point = point + np.linalg.solve(curve, slope)
    return float(point[0]), float(point[1])
