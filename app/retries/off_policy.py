"""What another policy would have recovered, estimated from what this one did and how likely it was to do it.

Doubly robust, step by step: the model's forecast, corrected by what really happened wherever the other policy might
have chosen the same. Either the forecasts or the probabilities may be wrong, not both. Weights are capped and
normalized; an interval comes with it, and with too few comparable cases there is no answer. Refuses to know planners.

Source of the form: Jiang and Li 2016, Thomas and Brunskill 2016 (weighted doubly robust estimation).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.errors import RecoupError

MOST_WEIGHT = 10.0
LEAST_EFFECTIVE = 200.0
Z95 = 1.959964


class TooLittleData(RecoupError):
    """There are too few comparable cases to estimate another policy's recovery."""


@dataclass(frozen=True)
class LoggedStep:
    """One try: how likely the logging and the target policy were to choose it, the target's value forecasts before the
    choice and with it, and the reward (1 paid, 0 not).
    """

    logged_probability: float
    target_probability: float
    value_before: float
    value_of_choice: float
    reward: float


@dataclass(frozen=True)
class LoggedCase:
    """The tries of one case, in order."""

    steps: tuple[LoggedStep, ...]


@dataclass(frozen=True)
class Estimate:
    """The expected share recovered by the target policy, and what to make of it."""

    value: float
    interval95: tuple[float, float]
    effective_cases: float
    cases: int


def estimate(cases: Sequence[LoggedCase]) -> Estimate:
    """The recovery of the target policy over all `cases`, those without any try included. Raises TooLittleData."""
    depth = max((len(case.steps) for case in cases), default=0)
    if not depth:
        raise TooLittleData("no case has a logged try; let the planner run first")
    table = np.full((5, len(cases), depth + 1), np.nan)
    for row, case in enumerate(cases):
        for column, step in enumerate(case.steps):
            table[:, row, column] = (step.logged_probability, step.target_probability, step.value_before,
                                     step.value_of_choice, step.reward)  # fmt: skip
    return estimate_from_columns(*table)


def estimate_from_columns(
    logged: NDArray[np.float64],
    target: NDArray[np.float64],
    before: NDArray[np.float64],
    of_choice: NDArray[np.float64],
    reward: NDArray[np.float64],
) -> Estimate:
    """The same from arrays of shape (cases, steps + 1), steps that were not made being NaN. Raises TooLittleData."""
    made = ~np.isnan(logged[:, :-1])
    ratios = np.where(made, target[:, :-1] / np.where(made, logged[:, :-1], 1.0), 1.0)
    weights = np.minimum(np.cumprod(ratios, axis=1), MOST_WEIGHT)
    _require_enough(weights[:, -1])
    means = np.array(
        [weights[made[:, step], step].mean() if made[:, step].any() else 1.0 for step in range(made.shape[1])]
    )
    shares = np.where(made, weights / np.maximum(means, 1e-9), 0.0)
    later, seen = np.nan_to_num(before[:, 1:]), np.nan_to_num(reward[:, :-1])
    surprises = seen + np.where(seen > 0, 0.0, later) - np.nan_to_num(of_choice[:, :-1])
    each = np.nan_to_num(before[:, 0]) + (shares * surprises).sum(axis=1)
    half = Z95 * float(each.std(ddof=1)) / len(each) ** 0.5
    value = float(each.mean())
    return Estimate(value, (value - half, value + half), _effective(weights[:, -1]), len(each))


def _effective(weights: NDArray[np.float64]) -> float:
    return float(weights.sum() ** 2 / (weights**2).sum()) if weights.any() else 0.0


def _require_enough(weights: NDArray[np.float64]) -> None:
    effective = _effective(weights)
    if effective < LEAST_EFFECTIVE:
        raise TooLittleData(
            f"the history compares with the draft as well as {effective:.0f} cases would; {LEAST_EFFECTIVE:.0f} are "
            "needed. Let the planner run longer, or draft a policy closer to the present one"
        )
