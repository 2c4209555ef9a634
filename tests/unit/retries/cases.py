"""Small builders of planner facts for the tests of this folder."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.retries.decisions import RetryAt
from app.retries.facts import Attempt, Card, CardUse, CaseFacts, DeclineSignals, RetryPolicy
from app.retries.planner import decide

FAILED_AT = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
VISA = Card(brand="visa", funding="credit", country="US", fingerprint="fp_visa")
MASTERCARD = Card(brand="mastercard", funding="credit", country="US", fingerprint="fp_mc")
DRIVE = RetryPolicy()
OBSERVE = RetryPolicy(mode="observe")
NO_FUNDS = DeclineSignals(code="card_declined", decline_code="insufficient_funds")


def after(days: float = 0, hours: float = 0) -> datetime:
    """A moment so long after the first failure."""
    return FAILED_AT + timedelta(days=days, hours=hours)


def declined(at: datetime, signals: DeclineSignals = NO_FUNDS, **changes: Any) -> Attempt:
    """A declined automatic attempt that reached the network."""
    fields: dict[str, Any] = {"source": "recoup", "outcome": "declined", "reached_network": True}
    return Attempt(at=at, signals=signals, **{**fields, **changes})


def case(signals: DeclineSignals = NO_FUNDS, *, retries: tuple[Attempt, ...] = (), **changes: Any) -> CaseFacts:
    """A case whose first charge failed with `signals` at FAILED_AT, on a Visa credit card unless changed."""
    attempts = (declined(FAILED_AT, signals, source="stripe"), *retries)
    fields: dict[str, Any] = {"seed": "case_1", "amount_minor": 4900, "currency": "usd", "card": VISA}
    return CaseFacts(**{"failed_at": FAILED_AT, "attempts": attempts, **fields, **changes})


def uses(count: int, every_hours: float, *, until: datetime, signals: DeclineSignals = NO_FUNDS) -> tuple[CardUse, ...]:
    """So many declined uses of the card for other invoices, the newest at `until`."""
    return tuple(CardUse(until - timedelta(hours=every_hours * number), 1500, signals) for number in range(count))


SOON = after(hours=1)
END = after(28)


def retry(facts: CaseFacts, policy: RetryPolicy = DRIVE, now: datetime = SOON) -> RetryAt:
    """The try that the planner decides on; fails the test if it decides on anything else."""
    decision = decide(facts, policy, now)
    assert isinstance(decision, RetryAt), decision
    return decision
