"""Trying the second best now and then, on purpose and with a price tag: without it nobody learns what else would work.

Only the next try is drawn, among the few best slots; how likely each was is written down, so that another policy can be
judged by what happened to this one. The expected loss is bounded, and large amounts are left alone. Refuses to know
why a slot is good.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.ladder import fraction
from app.retries.planning import Option, Plan

AMONG = 5
LEAST_CHANCE = 0.02
BEST_SHARE = 0.6  # what is never drawn away from the best: estimates of other policies need likely choices
HALVINGS = 40
DRAWS = 2000  # where the draws of a case begin in its own sequence of fractions


@dataclass(frozen=True)
class Ticket:
    """One slot in the draw, and how likely it was to be drawn."""

    option: Option
    probability: float


def tickets(plan: Plan, policy: RetryPolicy, amount_minor: int) -> tuple[Ticket, ...]:
    """The draw for the next try of `plan`, the best slot first; one ticket where exploration is off.

    The expected loss of the draw is at most `policy.exploration_loss` of the plan's value.
    """
    if plan.next is None:
        return ()
    limit = policy.exploration_max_minor
    if policy.exploration_loss <= 0 or (limit is not None and amount_minor > limit):
        return (Ticket(plan.next, 1.0),)
    allowed = policy.exploration_loss * plan.value
    for among in range(min(AMONG, len(plan.options)), 1, -1):
        losses = np.array([max(plan.next.value - option.value, 0.0) for option in plan.options[:among]])
        if float(losses.sum()) * LEAST_CHANCE <= allowed:
            chances = _chances(losses, allowed)
            return tuple(Ticket(o, float(p)) for o, p in zip(plan.options, chances, strict=False))
    return (Ticket(plan.next, 1.0),)


def draw(of: Sequence[Ticket], facts: CaseFacts) -> Ticket:
    """The ticket that is drawn: the case's own name and number of tries decide, so the draw can be repeated."""
    luck, passed = fraction(facts.seed, DRAWS + len(facts.attempts)), 0.0
    for ticket in of:
        passed += ticket.probability
        if luck < passed:
            return ticket
    return of[0]


def _chances(losses: NDArray[np.float64], allowed: float) -> NDArray[np.float64]:
    """The flattest softmax of the losses whose expected loss is allowed, behind the best slot's own share."""
    cold, hot = 1e-6, 1.0
    for _ in range(HALVINGS):
        middle = (cold * hot) ** 0.5
        cold, hot = (middle, hot) if float(_softened(losses, middle) @ losses) <= allowed else (cold, middle)
    return _softened(losses, cold)


def _softened(losses: NDArray[np.float64], heat: float) -> NDArray[np.float64]:
    shares = np.exp(-np.minimum(losses / heat, 700))
    chances = (1 - BEST_SHARE) * shares / shares.sum()
    chances[0] += BEST_SHARE
    return np.asarray(LEAST_CHANCE + (1 - LEAST_CHANCE * len(losses)) * chances)
