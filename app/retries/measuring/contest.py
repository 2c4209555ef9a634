"""The contest: what a world must offer, what a contestant must answer, and how one case is played.

Refuses to know any planner and any world.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from app.retries.facts import Attempt, Card, CardUse, CaseFacts, DeclineSignals, RetryPolicy
from app.retries.network_rules import (
    card_floors,
    closing_refusal,
    invoice_cap,
    invoice_floors,
    is_issued_in_india,
    spent_cap_of_number,
)

MOST_TRIES = 40
NO_SIGNALS = DeclineSignals()


@dataclass(frozen=True)
class FailedPayment:
    """What a planner may see when a payment first fails.

    `failed_at` is aware UTC, `amount_minor` minor units of `currency`, `timezone` an IANA name or None. `tenure_days`
    is how long the customer has paid, `billing_reason` Stripe's word for the invoice.
    """

    failed_at: datetime
    amount_minor: int
    currency: str
    signals: DeclineSignals
    card: Card
    timezone: str | None = None
    tenure_days: int | None = None
    billing_reason: str | None = None


@dataclass(frozen=True)
class AttemptOutcome:
    """How one try ended; `signals` say why it was declined, and are empty or None when it was approved."""

    approved: bool
    signals: DeclineSignals | None = NO_SIGNALS


class Case(Protocol):
    """One failed payment of a world. Its luck is its own: a moment gives every planner the same answer."""

    @property
    def failure(self) -> FailedPayment:
        """What may be seen at the first failure."""

    def attempt(self, at: datetime) -> AttemptOutcome:
        """What a charge at `at` (aware UTC) is answered."""

    def approval_probability(self, at: datetime) -> float:
        """The chance of a charge at `at`. For the clairvoyant bound alone: no planner may call it."""


class World(Protocol):
    """A place where payments fail."""

    @property
    def name(self) -> str:
        """What the world is called in reports."""

    def cases(self, n: int, rng: np.random.Generator) -> Sequence[Case]:
        """`n` failed payments, the same ones for the same state of `rng`."""


@dataclass(frozen=True)
class Ahead:
    """The next try: when, and the chance the contestant gives it (None if it makes no forecast)."""

    at: datetime
    chance: float | None = None


Player = Callable[[CaseFacts, datetime], Ahead | None]


class Contestant(Protocol):
    """Somebody who plans tries. Only the clairvoyant looks at more of a case than its failure."""

    @property
    def name(self) -> str:
        """What it is called in reports."""

    def player(self, case: Case, policy: RetryPolicy) -> Player:
        """Who plays this case: given the facts and the moment, the next try, or None to try no more."""


@dataclass(frozen=True)
class Played:
    """One case after its last try. `forecasts` are pairs of (chance given, approved); `plan_ms` one entry a plan."""

    facts: CaseFacts
    recovered: bool
    tries: int
    violations: tuple[str, ...]
    forecasts: tuple[tuple[float, bool], ...]
    plan_ms: tuple[float, ...]

    @property
    def days(self) -> float:
        """Days from the first failure to the last try."""
        return (self.facts.attempts[-1].at - self.facts.failed_at) / timedelta(days=1)


def opening(failure: FailedPayment, seed: str) -> CaseFacts:
    """The facts of a case at its first failure."""
    return _with_attempt(
        CaseFacts(
            seed=seed,
            failed_at=failure.failed_at,
            amount_minor=failure.amount_minor,
            currency=failure.currency,
            card=failure.card,
            timezone=failure.timezone,
            tenure_days=failure.tenure_days,
        ),
        failure.failed_at,
        AttemptOutcome(False, failure.signals),
    )


def _with_attempt(facts: CaseFacts, at: datetime, outcome: AttemptOutcome) -> CaseFacts:
    card, signals = facts.card or Card(), outcome.signals or NO_SIGNALS
    reached = signals.network_status != "not_sent_to_network"
    ended = "approved" if outcome.approved else "declined"
    attempt = Attempt(
        at, "recoup", ended, signals, reached, fingerprint=card.fingerprint, brand=card.brand  # type: ignore[arg-type]
    )  # fmt: skip
    use = (CardUse(at, facts.amount_minor, signals),) if reached else ()
    return replace(facts, attempts=(*facts.attempts, attempt), card_attempts=(*facts.card_attempts, *use))


def play(contestant: Contestant, case: Case, policy: RetryPolicy, seed: str, stopwatch: Callable[[], float]) -> Played:
    """Let `contestant` try until the case is paid or it tries no more, and note every rule that it breaks."""
    facts, broken, forecasts, spent = opening(case.failure, seed), [], [], []
    next_try, approved = contestant.player(case, policy), False
    while not approved and len(facts.attempts) <= MOST_TRIES:
        started = stopwatch()
        ahead = next_try(facts, facts.attempts[-1].at)
        spent.append(1000 * (stopwatch() - started))
        if ahead is None:
            break
        broken += broken_rules(facts, policy, ahead.at)
        outcome = case.attempt(ahead.at)
        approved = outcome.approved
        forecasts += [] if ahead.chance is None else [(ahead.chance, approved)]
        facts = _with_attempt(facts, ahead.at, outcome)
    return Played(facts, approved, len(facts.attempts) - 1, tuple(broken), tuple(forecasts), tuple(spent))


def broken_rules(facts: CaseFacts, policy: RetryPolicy, at: datetime) -> list[str]:
    """The hard rules that a try at `at` would break."""
    cap, _ = invoice_cap(facts, policy)
    broken = [f"before {floor.rule}" for floor in (*card_floors(facts, policy), *invoice_floors(facts, policy))
              if at < floor.at]  # fmt: skip
    checks = {
        "card closed": closing_refusal(facts) is not None,
        "issued in India": is_issued_in_india(facts),
        "cap of the answer": spent_cap_of_number(facts) is not None,
        "cap of the invoice": len(facts.attempts) > cap,
        "window": at >= facts.failed_at + timedelta(days=policy.window_days),
        "before now": at < facts.attempts[-1].at,
    }
    return broken + [name for name, is_broken in checks.items() if is_broken]
