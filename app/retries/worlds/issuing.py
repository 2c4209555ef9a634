"""A world of issuers: people with accounts, banks with moods, codes that tell or hide why.

Refuses to know who plans the tries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from app.retries.evaluation import AttemptOutcome, Card, DeclineSignals, FailedPayment
from app.retries.worlds.accounts import open_account, ordinal_of
from app.retries.worlds.codes import Speaker
from app.retries.worlds.luck import luck_at
from app.retries.worlds.parameters import common, pick, world
from app.retries.worlds.reasons import Cause, Closed, Limit, Money, Now, Outage, Suspicion, outage_hours

FIRST_DAY, DAYS = date(2026, 1, 5).toordinal(), 600
HOUR = timedelta(hours=1)


@dataclass
class IssuedCase:
    """One failed payment with everything that will be answered to it."""

    failure: FailedPayment
    cause: Cause
    speaker: Speaker
    seed: int
    zone: ZoneInfo
    answers: dict[int, DeclineSignals] = field(default_factory=dict)

    def attempt(self, at: datetime) -> AttemptOutcome:
        """What a charge at `at` is answered."""
        now = self._now(at)
        if self.cause.approves(now) and now.luck(9) < self._night(now):
            return AttemptOutcome(True)
        return AttemptOutcome(False, self._refusal(int(now.hours)))

    def approval_probability(self, at: datetime) -> float:
        """The chance of a charge at `at`, knowing all but the noise."""
        now = self._now(at)
        return self.cause.chance(now) * self._night(now)

    def _refusal(self, hour: int) -> DeclineSignals:
        """Mostly the first answer again; its advice is not repeated, for it named a day that has passed."""
        if luck_at(self.seed, hour, 7) < common()["same_code_again"]:
            first = self.failure.signals
            return DeclineSignals(**{**vars(first), "network_advice_code": None})
        return self.speaker.say(np.random.default_rng((self.seed, hour)))

    def _now(self, at: datetime) -> Now:
        return Now((at - self.failure.failed_at) / HOUR, ordinal_of(at.astimezone(self.zone)), self.seed)

    def _night(self, now: Now) -> float:
        return float(common()["night_penalty"]) if 1 / 24 <= now.local % 1 < 4 / 24 else 1.0


@dataclass(frozen=True)
class IssuingWorld:
    """The world of this name in `parameters.toml`."""

    name: str

    def cases(self, n: int, rng: np.random.Generator) -> Sequence[IssuedCase]:
        """`n` failed payments, drawn one after the other."""
        parameters = world(self.name)
        return [_draw(parameters, np.random.default_rng(rng.integers(2**63))) for _ in range(n)]


def _draw(parameters: dict[str, Any], rng: np.random.Generator) -> IssuedCase:
    country = pick(parameters["countries"], rng)
    zones = parameters["zones"]
    zone = ZoneInfo(zones[country] if country in zones else pick(zones, rng))
    seed = int(rng.integers(2**62))
    card = Card(pick(parameters["brands"], rng), pick(parameters["funding"], rng), country, f"fp_{seed:x}")
    name = pick(parameters["causes"], rng)
    failed_at, cause, hours = _fail(name, parameters, zone, rng)
    speaker = Speaker(name, card.brand or "", hours)
    return IssuedCase(_failure(parameters, failed_at, card, zone, speaker.say(rng), rng), cause, speaker, seed, zone)


def _failure(
    parameters: dict[str, Any],
    failed_at: datetime,
    card: Card,
    zone: ZoneInfo,
    signals: DeclineSignals,
    rng: np.random.Generator,
) -> FailedPayment:
    amounts = parameters["amounts"]
    amount = int(amounts["median"] * np.exp(amounts["spread"] * rng.standard_normal()))
    return FailedPayment(
        failed_at=failed_at,
        amount_minor=max(amount, 100),
        currency=amounts["currency"],
        signals=signals,
        card=card,
        timezone=zone.key if rng.random() < 0.85 else None,
        tenure_days=int(rng.exponential(300)),
        billing_reason="subscription_cycle",
    )


def _fail(
    name: str, parameters: dict[str, Any], zone: ZoneInfo, rng: np.random.Generator
) -> tuple[datetime, Cause, float | None]:
    """When a payment fails by this cause, the cause, and for an empty account the hours until wages come."""
    if name == "money":
        return _fail_for_money(parameters, zone, rng)
    local = FIRST_DAY + rng.random() * DAYS
    causes: dict[str, Cause] = {
        "suspicion": Suspicion(bool(rng.random() < common()["suspicion_persists"])),
        "outage": Outage(outage_hours(float(rng.standard_normal()))),
        "limit": Limit(bool(rng.random() > common()["limit_resets_daily"]), local),
    }
    return _moment(local, zone), causes.get(name, Closed()), None


def _fail_for_money(
    parameters: dict[str, Any], zone: ZoneInfo, rng: np.random.Generator
) -> tuple[datetime, Cause, float | None]:
    """People until one is short on one of their days: subscriptions renew on any day, at any hour."""
    while True:
        around = FIRST_DAY + int(rng.integers(DAYS))
        account = open_account(parameters, around, rng)
        for local in around + rng.random(4) * 20:
            if account.actual(local) < 0:
                wages = (day + account.posted for day in account.next_paydays)
                ahead = min((24 * (paid - local) for paid in wages if paid > local), default=None)
                return _moment(float(local), zone), Money(account), ahead


def _moment(local: float, zone: ZoneInfo) -> datetime:
    midnight = datetime.combine(date.fromordinal(int(local)), datetime.min.time(), tzinfo=zone)
    return (midnight.astimezone(UTC) + timedelta(seconds=int((local % 1) * 86400))).replace(microsecond=0)
