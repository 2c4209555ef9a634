"""Somebody's money: filled by wages, drained by days, shaken by what nobody plans.

Levels are logarithms of what is there for a charge: above 0 it can be paid. Refuses to know banks and codes.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import exp, sqrt
from typing import Any

from app.sandbox.issuers.luck import below, lognormal, luck, normal
from app.sandbox.issuers.parameters import table
from app.sandbox.issuers.spells import Spells
from app.sandbox.issuers.wages import Wages

_DAY = timedelta(days=1)
_BEYOND = 5  # standard deviations: no surprise changes the sign, so none is drawn
_NOTHING = -4.0  # far below what a surprise could mend
_STEPS_A_DAY = 2
_REMEMBERED = 10  # steps after which a surprise is forgotten


@dataclass(frozen=True)
class Account:
    """`lasts` is the share of the time between two wages for which the money is enough, `slope_days` how fast its end
    comes. Moments are local and naive.
    """

    seed: int
    wages: Wages
    lasts: float
    slope_days: float
    posted_hour: float
    broke: Spells

    @classmethod
    def drawn(cls, seed: int, parameters: dict[str, Any], funding: str) -> "Account":
        """Somebody's account, from a segment's parameters."""
        common = table("accounts")
        least, most = parameters["money_lasts"]
        strained = luck(seed, "strained") < parameters["strained"][funding]
        slope = parameters["slope_days"]
        return cls(
            seed,
            Wages.drawn(seed, parameters),
            least + (most - least) * luck(seed, "lasts") if strained else float(common["frugal_days"]),
            lognormal(slope["median"], slope["spread"], seed, "slope"),
            common["posted_by_hour"] * luck(seed, "posted"),
            Spells((seed, "broke"), parameters["broke_per_year"], common["broke_days"], _broke_days),
        )

    def planned(self, at: datetime) -> float:
        """The level at a local moment if nothing unforeseen happens."""
        if self.broke.at(at.toordinal()):
            return _NOTHING
        wage, coming = self._wages_around(at)
        period = (coming - wage) / _DAY
        return (self.lasts * period - (at - wage) / _DAY) / self.slope_days

    def actual(self, at: datetime) -> float:
        """The level with everything unforeseen in it."""
        planned, noise = self.planned(at), float(table("accounts")["noise"])
        return planned if abs(planned) > _BEYOND * noise else planned + noise * self._surprise(at)

    def chance(self, at: datetime) -> float:
        """The chance that a charge can be paid, knowing all but what nobody plans."""
        return below(self.planned(at) / float(table("accounts")["noise"]))

    def next_wage(self, at: datetime) -> datetime:
        """When money comes next."""
        return self._wages_around(at)[1]

    def _wages_around(self, at: datetime) -> tuple[datetime, datetime]:
        before, after = self.wages.around(at.date())
        if at < self._posted(before):
            before, after = self.wages.around(before - _DAY)[0], before
        return self._posted(before), self._posted(after)

    def _posted(self, day: date) -> datetime:
        return datetime.combine(day, datetime.min.time()) + timedelta(hours=self.posted_hour)

    def _surprise(self, at: datetime) -> float:
        """A standard normal number that moves slowly: fading surprises, one every half day."""
        step = at.toordinal() * _STEPS_A_DAY + at.hour * _STEPS_A_DAY // 24
        fades = exp(-1 / (_STEPS_A_DAY * float(table("accounts")["noise_memory_days"])))
        weights = [fades**back for back in range(_REMEMBERED)]
        total = sum(weight * normal(self.seed, "surprise", step - back) for back, weight in enumerate(weights))
        return total / sqrt(sum(weight * weight for weight in weights))


def _broke_days(_number: int, _begins: float) -> float:
    return float(table("accounts")["broke_days"])
