"""Schedules to compare with: the common ladder, even spacing, and one who sees the hand of fate.

Each stops where a card is closed for good, as every serious product does; none of them waits for an issuer's advice
or counts a budget, which is what the report counts as violations. Refuses to know the planner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.measuring.contest import Ahead, Case, Player
from app.retries.network_rules import (
    card_floors,
    closing_refusal,
    invoice_cap,
    invoice_floors,
    is_issued_in_india,
    spent_cap_of_number,
)

FINEST = timedelta(hours=3)


def is_closed(facts: CaseFacts) -> bool:
    """Whether nothing that is known allows another try of the card, whoever asks."""
    return bool(closing_refusal(facts) or is_issued_in_india(facts) or spent_cap_of_number(facts))


@dataclass(frozen=True)
class Schedule:
    """Tries on fixed days after the first failure, at its hour; those past the window are left out."""

    name: str
    days: Callable[[RetryPolicy], tuple[float, ...]]

    def player(self, case: Case, policy: RetryPolicy) -> Player:
        """One who follows the schedule."""
        last = timedelta(days=policy.window_days) - timedelta(minutes=1)
        offsets = [min(timedelta(days=day), last) for day in self.days(policy) if day <= policy.window_days]

        def next_try(facts: CaseFacts, now: datetime) -> Ahead | None:
            made = len(facts.attempts) - 1
            if made >= len(offsets) or is_closed(facts):
                return None
            return Ahead(facts.failed_at + offsets[made])

        return next_try


def ladder(*days: float) -> Schedule:
    """The schedule of these days, named as people name it: `fixed-1-3-5-7`."""
    return Schedule("fixed-" + "-".join(f"{day:g}" for day in days), lambda policy: days[: policy.max_attempts])


def even(tries: int | None = None, window: int | None = None) -> Schedule:
    """Evenly spaced tries over the policy's window, or `tries` in `window` days."""
    name = f"even-{tries}-in-{window}" if tries else "even"

    def days(policy: RetryPolicy) -> tuple[float, ...]:
        count, length = tries or policy.max_attempts, window or policy.window_days
        return tuple(length * (number + 1) / count for number in range(count))

    return Schedule(name, days)


@dataclass(frozen=True)
class Clairvoyant:
    """Knows every chance of the case and picks the best set of times that keeps the gap: a bound, not a planner."""

    name: str = "clairvoyant"

    def player(self, case: Case, policy: RetryPolicy) -> Player:
        """One who has read the case's approval probabilities."""
        failed_at = case.failure.failed_at
        steps = int(timedelta(days=policy.window_days) / FINEST)
        moments = [failed_at + FINEST * number for number in range(1, steps)]
        chances = np.array([case.approval_probability(at) for at in moments])

        def next_try(facts: CaseFacts, now: datetime) -> Ahead | None:
            cap, _ = invoice_cap(facts, policy)
            left = min(cap, policy.max_attempts) - (len(facts.attempts) - 1)
            if left <= 0 or is_closed(facts):
                return None
            floors = [floor.at for floor in (*card_floors(facts, policy), *invoice_floors(facts, policy))]
            first = max([now, *floors])
            is_open = np.array([at >= first for at in moments])
            chosen = _best_times(
                np.where(is_open, chances, 0), left, int(timedelta(hours=policy.min_gap_hours) / FINEST)
            )
            return Ahead(moments[chosen], float(chances[chosen])) if chosen is not None else None

        return next_try


def _best_times(chances: np.ndarray, tries: int, gap: int) -> int | None:
    """The first of the best set of `tries` slots at least `gap` apart: dynamic programming from the end backwards."""
    gains = -np.log1p(-np.minimum(chances, 0.999999))
    later = np.zeros(len(gains) + gap + 1)
    for _ in range(tries):
        taken = gains + later[gap : gap + len(gains)]
        best = np.zeros_like(later)
        best[: len(gains)] = np.maximum.accumulate(taken[::-1])[::-1]
        later, last_taken = best, taken
    if not gains.any():
        return None
    return int(np.argmax(last_taken))
