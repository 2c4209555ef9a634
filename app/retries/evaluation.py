"""Measuring planners: worlds in, figures out. The names in here are fixed; worlds of others are plugged in by them.

A world is any object with `name` and `cases(n, rng)`; a case has `failure`, `attempt(at)` and
`approval_probability(at)` (see `measuring.contest`). All contestants play the same cases with the same luck. These are
simulations: they compare planners, and promise nothing about an account. Refuses to know any world.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from re import fullmatch
from time import process_time
from typing import Any

import numpy as np

from app.errors import RecoupError
from app.retries.facts import Card, CaseFacts, DeclineSignals, RetryPolicy
from app.retries.knowledge import SHIPPED, Knowledge
from app.retries.learning import learn
from app.retries.measuring.contest import AttemptOutcome, Case, Contestant, FailedPayment, Played, World, play
from app.retries.measuring.contestants import Clairvoyant, even, ladder
from app.retries.measuring.figures import (
    Bin,
    Difference,
    Figures,
    calibration_table,
    difference,
    figures,
)
from app.retries.measuring.loading import NoSuchWorld, load_world
from app.retries.measuring.ours import ABLATIONS, Ours

__all__ = [
    "AttemptOutcome",
    "Card",
    "Case",
    "Contestant",
    "DeclineSignals",
    "Evaluation",
    "FailedPayment",
    "NoSuchPlanner",
    "NoSuchWorld",
    "World",
    "evaluate",
    "load_world",
    "make_contestant",
]

BASELINES = ("even", "fixed-1-3-5-7", "clairvoyant")
LEAST_ROUND = 50
LEAST_GAP = 0.01  # where the clairvoyant is hardly ahead, the share of the way says nothing


class NoSuchPlanner(RecoupError):
    """A planner cannot be made by the name given."""


@dataclass(frozen=True)
class Evaluation:
    """What came of a contest. `gap_closed` is the share of the way from even spacing to the clairvoyant."""

    world: str
    cases: int
    seed: int
    window: int
    attempts: int
    learn: int
    planners: Mapping[str, Figures]
    paired: tuple[Difference, ...]
    calibration: Mapping[str, tuple[Bin, ...]]
    gap_closed: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return asdict(self)


def make_contestant(name: str, knowledge: Knowledge = SHIPPED) -> Contestant:
    """The planner of this name: `recoup` or an ablation, `even`, `even-8-in-14`, `fixed-1-3-5-7` or `clairvoyant`.

    Raises NoSuchPlanner.
    """
    if name == "recoup":
        return Ours(knowledge=knowledge)
    if name in ABLATIONS:
        return replace(ABLATIONS[name], knowledge=knowledge)
    if name == "clairvoyant":
        return Clairvoyant()
    if found := fullmatch(r"even(?:-(\d+)-in-(\d+))?", name):
        return even(*(int(number) for number in found.groups() if number))
    if found := fullmatch(r"fixed((?:-\d+(?:\.\d+)?)+)", name):
        return ladder(*(float(day) for day in found[1][1:].split("-")))
    raise NoSuchPlanner(
        f"no planner {name}: recoup, even, even-8-in-14, fixed-1-3-5-7, clairvoyant, {', '.join(ABLATIONS)}"
    )


def evaluate(
    world: World,
    planners: Sequence[str] = ("recoup",),
    *,
    window: int = 28,
    attempts: int = 4,
    cases: int = 2000,
    seed: int = 0,
    learning_cases: int = 0,
    alone: bool = False,
    stopwatch: Callable[[], float] = process_time,
) -> Evaluation:
    """Let `planners` (and the baselines unless `alone`) play `cases` failed payments of `world`.

    `window` is in days, `attempts` the most tries after the first failure. With `learning_cases` the planner first
    recovers so many other cases by itself and learns from them in rounds, as it would from night to night.
    """
    policy = policy_of(window, attempts)
    knowledge = _learn_first(world, policy, learning_cases, seed, stopwatch) if learning_cases else SHIPPED
    names = list(dict.fromkeys([*planners, *(() if alone else BASELINES)]))
    drawn = _draw(world, cases, seed)
    results = {
        name: _play_all(make_contestant(name, knowledge), _drawn_again(world, drawn, seed), policy, stopwatch)
        for name in names
    }
    found = {name: figures(played) for name, played in results.items()}
    return Evaluation(
        world=world.name, cases=cases, seed=seed, window=window, attempts=attempts, learn=learning_cases,
        planners=found,
        paired=tuple(difference(name, results[name], other, results[other])
                     for name in planners for other in names if other != name),
        calibration={name: tuple(calibration_table([pair for one in played for pair in one.forecasts]))
                     for name, played in results.items() if found[name].calibration_error is not None},
        gap_closed={name: gap for name in planners if (gap := _gap_closed(found, name)) is not None},
    )  # fmt: skip


def policy_of(window: int, attempts: int, exploration_loss: float = 0.0) -> RetryPolicy:
    """The default rules with this window and cap; the cap for empty debit accounts is lifted to be measured, too."""
    return RetryPolicy(
        timing="planned", window_days=window, max_attempts=attempts, debit_no_funds_attempts=attempts,
        exploration_loss=exploration_loss,
    )  # fmt: skip


def _draw(world: World, count: int, seed: int) -> list[Case]:
    return list(world.cases(count, np.random.default_rng([seed, 0])))


def _drawn_again(world: World, first: list[Case], seed: int) -> list[Case]:
    """The same cases, untouched: a bank may remember who has asked, and nobody shall pay for another one's tries.

    A world that does not draw the same cases twice is played with the first ones by everybody.
    """
    again = _draw(world, len(first), seed)
    is_same = [case.failure for case in again] == [case.failure for case in first]
    return again if is_same else first


def _play_all(
    contestant: Contestant, cases: Sequence[Case], policy: RetryPolicy, stopwatch: Callable[[], float]
) -> list[Played]:
    return [play(contestant, case, policy, f"case_{number}", stopwatch) for number, case in enumerate(cases)]


def _learn_first(world: World, policy: RetryPolicy, count: int, seed: int, stopwatch: Callable[[], float]) -> Knowledge:
    """What the planner knows after `count` other cases, refitted after each round as it is each night."""
    drawn = world.cases(count, np.random.default_rng([seed, 1]))
    knowledge, history = SHIPPED, list[CaseFacts]()
    exploring = replace(policy, exploration_loss=0.01)
    while len(history) < count:
        # An account learns every night; here often at first, then whenever it knows half as much again.
        part = drawn[len(history) : len(history) + max(LEAST_ROUND, len(history) // 2)]
        history += [one.facts for one in _play_all(Ours(knowledge=knowledge), part, exploring, stopwatch)]
        knowledge = learn(history).knowledge
    return knowledge


def _gap_closed(found: Mapping[str, Figures], name: str) -> float | None:
    if not {"even", "clairvoyant"} <= found.keys() or name in BASELINES:
        return None
    low, high = found["even"].recovered_share, found["clairvoyant"].recovered_share
    return (found[name].recovered_share - low) / (high - low) if high - low >= LEAST_GAP else None
