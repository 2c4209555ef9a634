"""Fitting the calibration: how far forecasts were off, held back by how little that is known of.

An offset and a slope of the logit that all decline groups share, and how far each group is from them, by penalized
logistic regression (Newton's method): what is wrong with one group's forecasts is mostly wrong with all. Refuses to
know the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.retries.calibration import logit
from app.retries.hypotheses import GROUPS

SHARED_SPREAD = 0.25, 0.12  # how far from (0, 1) offset and slope of all groups are expected to be
GROUP_SPREAD = 0.15, 0.10  # and those of a group from all groups'
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
    """For each group (offset, slope) of the logit, also for groups without forecasts; none where there are none at all.

    Groups whose slope is out of all reason are left out, and so stay as they are.
    """
    if not forecasts:
        return {}
    odds = np.array([logit(each.chance) for each in forecasts])
    of_group = np.array([[each.group == group for group in GROUPS] for each in forecasts], dtype=float)
    columns = np.column_stack([np.ones_like(odds), odds, of_group, of_group * odds[:, None]])
    point = _newton(columns, np.array([each.approved for each in forecasts], dtype=float))
    offsets, slopes = point[0] + point[2 : 2 + len(GROUPS)], point[1] + point[2 + len(GROUPS) :]
    pairs = zip(GROUPS, offsets.tolist(), slopes.tolist(), strict=True)
    return {group: (offset, slope) for group, offset, slope in pairs if SLOPES[0] <= slope <= SLOPES[1]}


def _newton(columns: NDArray[np.float64], approved: NDArray[np.float64]) -> NDArray[np.float64]:
    spreads = [*SHARED_SPREAD, *(spread for spread in GROUP_SPREAD for _ in GROUPS)]
    prior = np.zeros(len(spreads))
    prior[1] = 1.0
    hold, point = np.array(spreads) ** -2.0, prior.copy()
    for _ in range(NEWTON_STEPS):
        said = 1 / (1 + np.exp(-np.clip(columns @ point, -30, 30)))
        slope = columns.T @ (approved - said) - hold * (point - prior)
        curve = (columns * (said * (1 - said))[:, None]).T @ columns + np.diag(hold)
        point = point + np.linalg.solve(curve, slope)
    return point
