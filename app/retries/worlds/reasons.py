"""Why a charge of a world fails, and when it would not: one small class for each cause.

Each knows its chance at a moment and draws its answer with luck that belongs to the hour. Moments come as hours since
the first failure and as local ordinals. Refuses to know codes and planners.
"""

from dataclasses import dataclass, field
from datetime import date
from math import erf, exp, sqrt
from typing import Protocol

from app.retries.worlds.accounts import Account
from app.retries.worlds.luck import luck_at
from app.retries.worlds.parameters import common


@dataclass(frozen=True)
class Now:
    """A moment of a case: hours since the first failure, local ordinal, and the case's seed for its luck."""

    hours: float
    local: float
    seed: int

    def luck(self, kind: int) -> float:
        """Luck of this hour."""
        return luck_at(self.seed, int(self.hours), kind)


class Cause(Protocol):
    """What a cause of failure can be asked."""

    def chance(self, now: Now) -> float:
        """The chance of an approval, before its luck."""

    def approves(self, now: Now) -> bool:
        """Whether a charge is approved; a cause may remember that it was asked."""


@dataclass(frozen=True)
class Money:
    """The account is short until wages, refunds or a frugal week fill it."""

    account: Account

    def chance(self, now: Now) -> float:
        level = self.account.planned(now.local) / common()["noise_spread"]
        return common()["approval_with_money"] * 0.5 * (1 + erf(level / sqrt(2)))

    def approves(self, now: Now) -> bool:
        return self.account.actual(now.local) > 0 and now.luck(1) < common()["approval_with_money"]


@dataclass
class Suspicion:
    """The issuer distrusts the charge: for ever, or less each day. Tries close together feed it."""

    persists: bool
    asked: list[float] = field(default_factory=list)

    def chance(self, now: Now) -> float:
        if self.persists:
            return 0.02
        half_life = common()["suspicion_half_life_days"] * 24
        return 0.04 + (common()["suspicion_ceiling"] - 0.04) * (1 - 2 ** (-max(now.hours, 0) / half_life))

    def approves(self, now: Now) -> bool:
        crowd = sum(1 for hours in self.asked if 0 < now.hours - hours < 48)
        self.asked.append(now.hours)
        return now.luck(2) < self.chance(now) * common()["crowding"] ** crowd


@dataclass(frozen=True)
class Outage:
    """Somebody on the way to the bank is down, for hours."""

    lasts_hours: float

    def chance(self, now: Now) -> float:
        return 0.93 if now.hours >= self.lasts_hours else 0.0

    def approves(self, now: Now) -> bool:
        return now.luck(3) < self.chance(now)


@dataclass(frozen=True)
class Limit:
    """A limit of the card is used up until the next day or the next month."""

    monthly: bool
    failed_on: float

    def chance(self, now: Now) -> float:
        day, then = date.fromordinal(int(now.local)), date.fromordinal(int(self.failed_on))
        lifted = day.month != then.month if self.monthly else now.hours >= 24
        return 0.90 if lifted else 0.03

    def approves(self, now: Now) -> bool:
        return now.luck(4) < self.chance(now)


@dataclass(frozen=True)
class Closed:
    """The card is dead, or only its holder can help."""

    def chance(self, now: Now) -> float:
        return 0.0

    def approves(self, now: Now) -> bool:
        return False


def outage_hours(standard_normal: float) -> float:
    """How long an outage lasts, from a standard normal draw."""
    return float(common()["outage_median_hours"]) * exp(common()["outage_spread"] * standard_normal)
