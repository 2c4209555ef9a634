"""A world without any structure: each case has one chance, the same at every moment, and codes tell nothing.

Whoever sees patterns here sees ghosts. Refuses to know who plans the tries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from app.retries.evaluation import AttemptOutcome, Card, DeclineSignals, FailedPayment
from app.retries.worlds.luck import luck_at
from app.retries.worlds.parameters import world

CODES = ("insufficient_funds", "do_not_honor", "generic_decline")
START = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class EvenCase:
    """A failed payment whose every charge has the same chance."""

    failure: FailedPayment
    chance: float
    seed: int

    def attempt(self, at: datetime) -> AttemptOutcome:
        """An answer by luck alone."""
        hour = int((at - self.failure.failed_at) / timedelta(hours=1))
        return (
            AttemptOutcome(True)
            if luck_at(self.seed, hour, 1) < self.chance
            else AttemptOutcome(False, self.failure.signals)
        )

    def approval_probability(self, at: datetime) -> float:
        """The case's one chance."""
        return self.chance


@dataclass(frozen=True)
class StructurelessWorld:
    """Cases with nothing to find out."""

    name: str = "no_structure"

    def cases(self, n: int, rng: np.random.Generator) -> Sequence[EvenCase]:
        """`n` failed payments."""
        return [_draw(rng) for _ in range(n)]


def _draw(rng: np.random.Generator) -> EvenCase:
    parameters = world("no_structure")
    hopeless = rng.random() < parameters["hopeless"]
    chance = 0.0 if hopeless else float(rng.beta(parameters["chance"]["alpha"], parameters["chance"]["beta"]))
    seed = int(rng.integers(2**62))
    failure = FailedPayment(
        failed_at=START + timedelta(minutes=int(rng.integers(600 * 1440))),
        amount_minor=1900,
        currency="usd",
        signals=DeclineSignals(code="card_declined", decline_code=CODES[int(rng.integers(3))]),
        card=Card("visa", ("debit", "credit")[int(rng.integers(2))], "US", f"fp_{seed:x}"),
        timezone="America/New_York",
        tenure_days=100,
        billing_reason="subscription_cycle",
    )
    return EvenCase(failure, chance, seed)
