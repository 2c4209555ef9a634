"""Estimating a policy that was not followed: right on average, honest about how sure it is, silent without data."""

import numpy as np
import pytest
from numpy.typing import NDArray

from app.retries.off_policy import (
    Estimate,
    LoggedCase,
    LoggedStep,
    TooLittleData,
    estimate,
    estimate_from_columns,
)

STEPS, ACTIONS = 3, 4
CHANCE = np.array([[0.05, 0.30, 0.10, 0.20], [0.02, 0.05, 0.25, 0.10], [0.0, 0.0, 0.0, 0.0]])  # hidden kind, action
KINDS = np.array([0.4, 0.35, 0.25])
LOGGED = np.array([[0.6, 0.2, 0.1, 0.1], [0.1, 0.5, 0.3, 0.1], [0.25, 0.25, 0.25, 0.25]])  # step, action
TARGET = np.array([[0.2, 0.6, 0.1, 0.1], [0.0, 0.4, 0.6, 0.0], [0.1, 0.2, 0.6, 0.1]])


def truth() -> float:
    unpaid = [float(np.prod([1 - TARGET[step] @ CHANCE[kind] for step in range(STEPS)])) for kind in range(len(KINDS))]
    return 1 - float(KINDS @ np.array(unpaid))


def logged(cases: int, rng: np.random.Generator, forecast: NDArray[np.float64]) -> Estimate:
    """An estimate from simulated history with the given forecasts of the target's value by step and action."""
    columns = np.full((5, cases, STEPS + 1), np.nan)
    kinds, unpaid = rng.choice(len(KINDS), cases, p=KINDS), np.ones(cases, dtype=bool)
    for step in range(STEPS):
        action = rng.choice(ACTIONS, cases, p=LOGGED[step])
        paid = rng.random(cases) < CHANCE[kinds, action]
        before = np.full(cases, TARGET[step] @ forecast[step])
        step_columns = (LOGGED[step, action], TARGET[step, action], before, forecast[step, action], paid.astype(float))
        for place, column in enumerate(step_columns):
            columns[place, unpaid, step] = column[unpaid]
        unpaid &= ~paid
    return estimate_from_columns(*columns)


GOOD = np.array([[0.30, 0.38, 0.36, 0.34], [0.20, 0.24, 0.28, 0.23], [0.02, 0.12, 0.10, 0.10]])
BAD = GOOD + np.array([[0.2], [0.15], [0.1]])


@pytest.mark.parametrize("forecast", [GOOD, BAD], ids=["good forecasts", "bad forecasts"])
def test_the_estimate_is_right_on_average_and_its_interval_covers_the_truth(forecast: NDArray[np.float64]) -> None:
    rng = np.random.default_rng(7)
    made = [logged(2000, rng, forecast) for _ in range(200)]
    assert abs(np.mean([each.value for each in made]) - truth()) < 0.015
    covered = np.mean([each.interval95[0] <= truth() <= each.interval95[1] for each in made])
    assert 0.92 <= covered <= 0.99


def test_good_forecasts_make_the_interval_no_wider_than_bad_ones() -> None:
    rng = np.random.default_rng(8)
    wide = [np.diff(logged(2000, rng, each).interval95)[0] for each in (GOOD, BAD)]
    assert wide[0] < wide[1]


def test_following_the_same_policy_gives_what_happened() -> None:
    steps = [LoggedCase((LoggedStep(0.5, 0.5, 0.3, 0.3, float(number % 4 == 0)),)) for number in range(400)]
    found = estimate(steps)
    assert found.value == pytest.approx(0.25)
    assert found.effective_cases == pytest.approx(400)


def test_without_comparable_cases_there_is_no_answer() -> None:
    foreign = [LoggedCase((LoggedStep(0.9, 0.0, 0.3, 0.3, 0.0),))] * 1000
    with pytest.raises(TooLittleData, match="Let the planner run longer"):
        estimate(foreign)
    with pytest.raises(TooLittleData):
        estimate([LoggedCase(())])
