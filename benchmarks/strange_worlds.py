"""Worlds as somebody else might write them: not from our simulation, but from the published outline of an issuer.

`recoup retries evaluate --world benchmarks/strange_worlds.py:thursdays`. Cover of the amount due falls with the days
since payday, with noise that is remembered for two days; banks calm down or do not; limits are lifted after a day or on
the first; some codes hide the cause. Only the numbers differ from world to world, and most of them are customs that our
tables do not expect of the card's country. `approval_probability` knows a case's noise too, so the clairvoyant here is
stronger than in our own worlds. Refuses to know the planner.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from app.retries.evaluation import AttemptOutcome, Card, DeclineSignals, FailedPayment

START, SPAN_DAYS = datetime(2026, 1, 12, tzinfo=UTC), 500
HOUR, STEP_HOURS, AHEAD_DAYS = timedelta(hours=1), 6, 65
NOISE_STEPS = AHEAD_DAYS * 24 // STEP_HOURS
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Shares = Mapping[str, float]
USUAL_CAUSES = {"nsf": 0.48, "suspicion": 0.20, "outage": 0.06, "velocity": 0.04, "dead": 0.18, "auth": 0.04}
TOLD = {
    "nsf": ("insufficient_funds",),
    "suspicion": ("do_not_honor", "generic_decline"),
    "outage": ("issuer_not_available", "processing_error"),
    "velocity": ("card_velocity_exceeded", "withdrawal_count_limit_exceeded"),
    "dead": ("expired_card", "lost_card", "invalid_account"),
    "auth": ("authentication_required",),
}
HIDDEN = ("do_not_honor", "generic_decline")
OFF_WEEKENDS: Mapping[str, Callable[[int], int]] = {
    "before": lambda weekday: -max(weekday - 4, 0),
    "after": lambda weekday: (7 - weekday) % 7 if weekday > 4 else 0,
    "never": lambda weekday: 0,
}


@dataclass(frozen=True)
class Nature:
    """The numbers of one world.

    Wages arrive between the local hours `posted`, moved `off_weekends` or not; `hides` codes tell not; half of the
    wary banks that `calms` counts have calmed down after `calm_days`.
    """

    name: str
    paydays: Shares
    countries: Mapping[str, str] = field(default_factory=lambda: {"US": "America/New_York"})
    causes: Shares = field(default_factory=lambda: USUAL_CAUSES)
    funding: Shares = field(default_factory=lambda: {"debit": 0.55, "credit": 0.35, "prepaid": 0.10})
    lasts_days: tuple[float, float] = (4.0, 0.6)
    posted: tuple[float, float] = (0.0, 9.0)
    hides: float = 0.28
    calms: float = 0.42
    limit_daily: float = 0.6
    knows_zone: float = 0.7
    calm_days: float = 3.0
    with_money: float = 0.94
    noise: float = 0.4
    off_weekends: str = "before"

    def cases(self, n: int, rng: np.random.Generator) -> "Sequence[StrangeCase]":
        """`n` failed payments."""
        return [_draw(self, np.random.default_rng(rng.integers(2**63))) for _ in range(n)]


@dataclass(frozen=True)
class Purse:
    """Cover of the amount due: `start` on payday, down by one in `lasts` days, and noise at every few hours."""

    paid: np.ndarray
    start: float
    lasts: float
    noise: np.ndarray
    first: float

    def cover(self, local: float) -> float:
        """The logarithm of money over the amount due at a local ordinal."""
        since = local - self.paid[np.searchsorted(self.paid, local, side="right") - 1]
        step = min(max(int((local - self.first) * 24 / STEP_HOURS), 0), len(self.noise) - 1)
        return float(self.start - since / self.lasts + self.noise[step])


@dataclass
class StrangeCase:
    """One failed payment and what every later charge is answered."""

    failure: FailedPayment
    cause: str
    zone: ZoneInfo
    seed: int
    purse: Purse | None
    parameter: float
    nature: Nature
    asked: list[datetime] = field(default_factory=list)

    def attempt(self, at: datetime) -> AttemptOutcome:
        """What a charge at `at` is answered; a wary bank minds tries that come soon after one another."""
        crowd = sum(1 for each in self.asked if timedelta(0) < at - each < 48 * HOUR)
        self.asked.append(at)
        hour = int((at - self.failure.failed_at) / HOUR)
        luck = np.random.default_rng((self.seed, hour))
        chance = self.approval_probability(at) * (0.8**crowd if self.cause == "suspicion" else 1.0)
        if luck.random() < chance:
            return AttemptOutcome(True, DeclineSignals(outcome_type="authorized", network_status="approved_by_network"))
        same = luck.random() < 0.8
        return AttemptOutcome(False, self.failure.signals if same else _signals(self.cause, self.nature.hides, luck))

    def approval_probability(self, at: datetime) -> float:
        """The chance of a charge at `at`, knowing everything but the last throw."""
        local = at.astimezone(self.zone)
        night = 0.9 if 1 <= local.hour < 5 else 1.0
        days = (at - self.failure.failed_at) / timedelta(days=1)
        return night * self._chance(days, local)

    def _chance(self, days: float, local: datetime) -> float:
        if self.purse:
            return self.nature.with_money if self.purse.cover(_ordinal(local)) > 0 else 0.01
        if self.cause == "suspicion":
            return 0.02 if self.parameter < 0 else 0.04 + 0.75 * (1 - 2 ** (-max(days, 0) / self.nature.calm_days))
        if self.cause == "outage":
            return 0.93 if 24 * days > self.parameter else 0.0
        if self.cause == "velocity":
            failed = self.failure.failed_at.astimezone(self.zone)
            is_lifted = days >= 1 if self.parameter < 0 else (local.year, local.month) != (failed.year, failed.month)
            return 0.9 if is_lifted else 0.02
        return 0.0


def _draw(nature: Nature, rng: np.random.Generator) -> StrangeCase:
    country = str(rng.choice(list(nature.countries)))
    zone, cause = ZoneInfo(nature.countries[country]), _pick(nature.causes, rng)
    failed_at, purse = START + timedelta(hours=float(rng.uniform(0, 24 * SPAN_DAYS))), None
    if cause == "nsf":
        failed_at, purse = _empty_purse(nature, zone, rng)
    parameter = {
        "suspicion": 1.0 if rng.random() < nature.calms else -1.0,
        "outage": float(rng.lognormal(np.log(2.0), 1.1)),
        "velocity": -1.0 if rng.random() < nature.limit_daily else 1.0,
    }.get(cause, 0.0)
    seed = int(rng.integers(2**62))
    card = Card(_pick({"visa": 0.6, "mastercard": 0.32, "amex": 0.08}, rng), _pick(nature.funding, rng), country,
                f"fp{seed:x}")  # fmt: skip
    failure = FailedPayment(
        failed_at=failed_at.replace(microsecond=0),
        amount_minor=int(rng.lognormal(np.log(2400), 0.8)),
        currency="usd",
        signals=_signals(cause, nature.hides, rng),
        card=card,
        timezone=zone.key if rng.random() < nature.knows_zone else None,
        tenure_days=int(rng.exponential(250)),
        billing_reason="subscription_cycle",
    )
    return StrangeCase(failure, cause, zone, seed, purse, parameter, nature)


def _empty_purse(nature: Nature, zone: ZoneInfo, rng: np.random.Generator) -> tuple[datetime, Purse]:
    """Draw people until one is short on a day of theirs."""
    while True:
        failed_at = START + timedelta(hours=float(rng.uniform(0, 24 * SPAN_DAYS)))
        local = _ordinal(failed_at.astimezone(zone))
        purse = draw_purse(nature, local, rng)
        if purse.cover(local) < 0:
            return failed_at, purse


def draw_purse(nature: Nature, local: float, rng: np.random.Generator) -> Purse:
    """The purse of somebody of this world around the local ordinal `local`."""
    first = int(local) - 1
    lasts = float(rng.lognormal(np.log(nature.lasts_days[0]), nature.lasts_days[1]))
    posted = rng.uniform(*nature.posted) / 24
    paid = _paydays(nature, first - 45, first + AHEAD_DAYS, rng) + posted
    return Purse(paid, float(rng.normal(1.0, 0.4)), lasts, nature.noise * _noise(rng), float(first))


def _noise(rng: np.random.Generator) -> np.ndarray:
    return _memory() @ rng.standard_normal(NOISE_STEPS)


@lru_cache(maxsize=1)
def _memory() -> np.ndarray:
    """The matrix that turns independent steps into noise of spread 1 that is half forgotten within two days."""
    keeps = np.exp(-STEP_HOURS / 48)
    back = np.subtract.outer(np.arange(NOISE_STEPS), np.arange(NOISE_STEPS))
    kernel = np.where(back >= 0, keeps ** np.maximum(back, 0), 0.0)
    kernel[:, 1:] *= np.sqrt(1 - keeps**2)
    return np.asarray(kernel)


def _paydays(nature: Nature, first: int, end: int, rng: np.random.Generator) -> np.ndarray:
    custom = _pick(nature.paydays, rng)
    return _days_of(f"days {rng.integers(1, 29)}" if custom == "any" else custom, first, end, nature.off_weekends)


@lru_cache(maxsize=4096)
def _days_of(custom: str, first: int, end: int, off_weekends: str) -> np.ndarray:
    """The days of a custom: `every 14 fri 1`, `days 10 25`, `nth 1 wed`, `workday 5`."""
    word, *rest = custom.split()
    days = [day for day in map(date.fromordinal, range(first, end)) if _is_payday(word, rest, day)]
    return np.array([day.toordinal() + OFF_WEEKENDS[off_weekends](day.weekday()) for day in days], dtype=float)


def _is_payday(word: str, rest: list[str], day: date) -> bool:
    if word == "every":
        weeks, weekday, phase = int(rest[0]) // 7, WEEKDAYS.index(rest[1]), int(rest[2])
        return day.weekday() == weekday and (day.toordinal() // 7 + phase) % weeks == 0
    if word == "nth":
        return day.weekday() == WEEKDAYS.index(rest[1]) and (day.day - 1) // 7 == int(rest[0]) - 1
    if word == "workday":
        worked = sum(date(day.year, day.month, each).weekday() < 5 for each in range(1, day.day + 1))
        return day.weekday() < 5 and worked == int(rest[0])
    ends = (day + timedelta(days=1)).month != day.month
    return any(day.day == int(each) or (ends and int(each) > day.day) for each in rest)


def _signals(cause: str, hides: float, rng: np.random.Generator) -> DeclineSignals:
    words = HIDDEN if cause in ("nsf", "dead", "velocity", "outage") and rng.random() < hides else TOLD[cause]
    code = words[int(rng.integers(len(words)))]
    return DeclineSignals(code="card_declined", decline_code=code, outcome_type="issuer_declined",
                          outcome_reason=code, network_status="declined_by_network")  # fmt: skip


def _pick(shares: Shares, rng: np.random.Generator) -> str:
    weights = np.array(list(shares.values()))
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]


def _ordinal(local: datetime) -> float:
    return local.toordinal() + (local.hour * 60 + local.minute) / 1440


def tenths() -> Nature:
    """Paid on the 10th and the 25th, or on one of them, in a country without a table of its own."""
    return Nature("tenths", {"days 10 25": 0.6, "days 10": 0.2, "days 25": 0.2}, {"PH": "Asia/Manila"})


def one_fortnight() -> Nature:
    """A whole country on every second Friday of one phase."""
    return Nature("one_fortnight", {"every 14 fri 1": 0.85, "days 31": 0.15}, {"US": "America/Los_Angeles"})


def thursdays() -> Nature:
    """British cards with weekly wages on Thursday."""
    return Nature("thursdays", {"every 7 thu 0": 0.8, "days 31": 0.2}, {"GB": "Europe/London"}, lasts_days=(2.0, 0.6))


def benefits() -> Nature:
    """Benefits on the first and third Wednesday of the month, much of it on prepaid cards."""
    return Nature("benefits", {"nth 1 wed": 0.5, "nth 3 wed": 0.3, "days 1": 0.2},
                  funding={"debit": 0.5, "prepaid": 0.45, "credit": 0.05}, lasts_days=(6.0, 0.5))  # fmt: skip


def evenings() -> Nature:
    """Wages that arrive between six and nine in the evening, at customary days."""
    return Nature("evenings", {"days 25": 0.35, "days 31": 0.35, "every 7 fri 0": 0.3},
                  {"GB": "Europe/London", "DE": "Europe/Berlin"}, posted=(18.0, 21.0))  # fmt: skip


def mumblers() -> Nature:
    """Usual paydays, but nine codes in ten say nothing."""
    return Nature("mumblers", {"every 14 fri 0": 0.25, "every 14 fri 1": 0.2, "every 7 fri 0": 0.3, "days 15 31": 0.25},
                  hides=0.9)  # fmt: skip


def limiters() -> Nature:
    """Issuers with limits: one failure in four is one, half of them until the first of the month."""
    return Nature("limiters", {"every 14 fri 0": 0.4, "every 7 fri 0": 0.3, "days 15 31": 0.3}, limit_daily=0.5,
                  causes={**USUAL_CAUSES, "nsf": 0.30, "velocity": 0.22})  # fmt: skip


def graveyard() -> Nature:
    """Two cards in five are dead, half of them without saying so."""
    return Nature("graveyard", {"days 28": 0.4, "days 31": 0.3, "days 1": 0.3}, {"FR": "Europe/Paris"}, hides=0.5,
                  causes={**USUAL_CAUSES, "nsf": 0.33, "suspicion": 0.15, "dead": 0.42})  # fmt: skip


def fifth_workday() -> Nature:
    """Paid on the fifth working day, some with an advance on the 20th."""
    return Nature("fifth_workday", {"workday 5": 0.65, "days 20": 0.35}, {"BR": "America/Sao_Paulo"})


def statements() -> Nature:
    """Companies on credit lines: the line is freed on the 5th, the 20th, the last, or a day of one's own."""
    return Nature("statements", {"days 5": 0.2, "days 20": 0.2, "days 31": 0.2, "any": 0.4},
                  {"US": "America/Chicago", "CA": "America/Toronto"}, funding={"credit": 0.8, "debit": 0.2},
                  causes={**USUAL_CAUSES, "nsf": 0.35, "suspicion": 0.28, "velocity": 0.08},
                  lasts_days=(9.0, 0.6))  # fmt: skip


ALL = (tenths, one_fortnight, thursdays, benefits, evenings, mumblers, limiters, graveyard, fifth_workday, statements)
