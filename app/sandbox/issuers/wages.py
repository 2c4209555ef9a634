"""When somebody is paid: the kinds of calendar, weekends, and the last and next payday around a day.

Refuses to know balances. Days are dates where the payer lives.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from app.sandbox.issuers.luck import luck, pick

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FRIDAY = 4
_LONGEST = 40  # days without a payday in any calendar
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Wages:
    """Paid every `weeks` weeks on `weekday`, or, with `days`, on those days of the month (31: its last).

    `phase` says which weeks are the paid ones. A day of the month that falls on a weekend is paid on the Friday before.
    """

    weeks: int = 1
    weekday: int = _FRIDAY
    phase: int = 0
    days: tuple[int, ...] = ()

    @classmethod
    def drawn(cls, seed: int, parameters: dict[str, Any]) -> "Wages":
        """Somebody's calendar, from a segment's."""
        kind, *days = pick(parameters["wages"], seed, "wages").split()
        if kind == "days":
            any_day = 1 + int(luck(seed, "day of month") * 31)
            return cls(days=tuple(any_day if day == "any" else int(day) for day in days))
        weekday = _WEEKDAYS.index(pick(parameters["weekdays"], seed, "weekday"))
        return cls(2 if kind == "fortnightly" else 1, weekday, int(luck(seed, "phase") * 2))

    def around(self, day: date) -> tuple[date, date]:
        """The last payday on or before `day`, and the first one after it."""
        return _around(self, day)

    def falls_on(self, day: date) -> bool:
        """Whether `day` is a payday."""
        if not self.days:
            return day.weekday() == self.weekday and (day.toordinal() // 7 + self.phase) % self.weeks == 0
        if day.weekday() > _FRIDAY:
            return False
        moved = range(3) if day.weekday() == _FRIDAY else range(1)
        return any(self._is_named(day + ahead * _DAY) for ahead in moved)

    def _is_named(self, day: date) -> bool:
        last = monthrange(day.year, day.month)[1]
        return any(day.day == min(wanted, last) for wanted in self.days)


@lru_cache(maxsize=4096)
def _around(wages: Wages, day: date) -> tuple[date, date]:
    before = next(day - back * _DAY for back in range(_LONGEST) if wages.falls_on(day - back * _DAY))
    after = next(day + ahead * _DAY for ahead in range(1, _LONGEST) if wages.falls_on(day + ahead * _DAY))
    return before, after
