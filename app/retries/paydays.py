"""When people are paid: the pay calendars of the world, and how long ago the last payday was on each.

Every calendar is kept possible for everybody: a superset costs little, a missing calendar costs points for ever.
Pay that would fall on a weekend or bank holiday comes on the last working day before. Refuses to know who is paid how.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.retries.prior import read_table

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
POSTED_AT = {"morning": 5 / 24, "evening": 20 / 24}  # most banks post by nine; five stands for it, eight for late ones
POSTINGS = tuple(POSTED_AT)
POSTED_BY_NUMBER = np.array(list(POSTED_AT.values()))
FRIDAY = 4
ONCE_A_MONTH = {"wednesday": 2, "thursday": 3, "friday": 4}
LOOK_BACK = 45
EPOCH = date(1970, 1, 1).toordinal()


def _names() -> Iterator[str]:
    yield from (f"weekly-{day}" for day in WEEKDAYS)
    yield from (f"fortnightly-{day}-{phase}" for day in WEEKDAYS for phase in ("odd", "even"))
    yield from ("twice-1-15", "twice-15-last", "twice-5-20", "twice-10-25")
    yield from (f"monthly-{day}" for day in (*range(1, 31), "last"))
    yield from (f"wednesday-{number}" for number in (1, 2, 3, 4))
    yield from ("friday-1", "friday-last", "thursday-last", "workday-5")


CALENDARS: tuple[str, ...] = tuple(_names())


@dataclass(frozen=True)
class PaydayTable:
    """For each calendar (row) and day (column, proleptic ordinals from `first`) the ordinal of the last payday."""

    first: int
    last: NDArray[np.int32]

    def days_since(
        self, calendars: NDArray[np.intp], postings: NDArray[np.intp], local: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Days since pay was posted, and which payday that was, for each calendar (row) and local moment (column).

        `postings` says for each row at which of POSTINGS its pay is posted. `local` are local ordinals: the day's
        proleptic ordinal plus the part of the day that has passed.
        """
        posted = local - POSTED_BY_NUMBER[postings][:, None]
        paydays = self.last[calendars[:, None], posted.astype(np.intp) - self.first]
        return posted - paydays, paydays


@lru_cache(maxsize=64)
def payday_table(country: str | None, year: int) -> PaydayTable:
    """The table for the bank holidays of `country` (ISO 3166 alpha-2), from the year before `year` to the one after."""
    first, end = date(year - 1, 1, 1).toordinal(), date(year + 2, 1, 1).toordinal()
    days = _Days(np.arange(first - LOOK_BACK, end + 7))
    paid = _working_day_before(days.ordinal, _bank_holidays(country, year))
    table = np.zeros((len(CALENDARS), len(days.ordinal)), dtype=np.int32)
    for row, name in enumerate(CALENDARS):
        on = paid[days.follow(name)]
        table[row, on - days.ordinal[0]] = on
    last = np.maximum.accumulate(table, axis=1)[:, LOOK_BACK : LOOK_BACK + end - first]
    return PaydayTable(first, last)


def _working_day_before(days: NDArray[np.int64], closed: frozenset[int]) -> NDArray[np.int64]:
    """For each day itself if banks work on it, else the last working day before."""
    works = ((days - 1) % 7 <= 4) & ~np.isin(days, list(closed))
    return np.maximum.accumulate(np.where(works, days, days[0]))


class _Days:
    """Days as columns: ordinal, weekday, day of the month, and whether the month ends with it."""

    def __init__(self, ordinal: NDArray[np.int64]) -> None:
        dates = (ordinal - EPOCH).astype("datetime64[D]")
        months = dates.astype("datetime64[M]")
        self.ordinal = ordinal
        self.weekday = (ordinal - 1) % 7
        self.of_month = (dates - months).astype(np.int64) + 1
        self.ends_month = (dates + 1).astype("datetime64[M]") > months
        self.ends_within_week = (dates + 7).astype("datetime64[M]") > months

    def follow(self, name: str) -> NDArray[np.bool_]:
        """On which of the days the calendar `name` pays, before weekends and holidays move it."""
        kind, *rest = name.split("-")
        if kind == "weekly":
            return np.asarray(self.weekday == WEEKDAYS.index(rest[0]))
        if kind == "fortnightly":
            is_odd = ((self.ordinal - 1) // 7) % 2 == 1
            return np.asarray((self.weekday == WEEKDAYS.index(rest[0])) & (is_odd == (rest[1] == "odd")))
        if kind == "workday":
            before = self.ordinal - self.of_month  # the last day of the month before
            weekends = sum((self.ordinal + day) // 7 - (before + day) // 7 for day in (0, 1))  # Sundays, Saturdays
            return np.asarray((self.of_month - weekends == int(rest[0])) & (self.weekday <= FRIDAY))
        if kind in ONCE_A_MONTH:
            in_week = self.ends_within_week if rest[0] == "last" else (self.of_month - 1) // 7 == int(rest[0]) - 1
            return np.asarray((self.weekday == ONCE_A_MONTH[kind]) & in_week)
        return np.asarray(np.any([self._is_day_of_month(wanted) for wanted in rest], axis=0))

    def _is_day_of_month(self, wanted: str) -> NDArray[np.bool_]:
        """A month that is too short for its day pays on its last."""
        if wanted == "last":
            return np.asarray(self.ends_month)
        return np.asarray((self.of_month == int(wanted)) | (self.ends_month & (self.of_month < int(wanted))))


def _bank_holidays(country: str | None, year: int) -> frozenset[int]:
    rules = [row["rule"] for row in HOLIDAYS if row["country"] == country]
    rules = rules or [row["rule"] for row in HOLIDAYS if row["country"] == "*"]
    years = range(year - 2, year + 3)  # pay is moved across the table's edges, too
    return frozenset(_holiday(rule, each).toordinal() for rule in rules for each in years)


HOLIDAYS = read_table("bank_holidays")


def _holiday(rule: str, year: int) -> date:
    if rule.startswith("easter"):
        return easter(year) + timedelta(days=int(rule.removeprefix("easter")))
    month, which, *weekday = rule.split("-")
    if not weekday:
        return date(year, int(month), int(which))
    days = [
        day for day in (date(year, int(month), 1) + timedelta(days=offset) for offset in range(31))
        if day.month == int(month) and day.weekday() == WEEKDAYS.index(weekday[0])
    ]  # fmt: skip
    return days[-1] if which == "last" else days[int(which) - 1]


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876)."""
    golden, century = year % 19, year // 100
    correction = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    moon = correction - (correction // 28) * (1 - (29 // (correction + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    offset = moon - weekday
    month = 3 + (offset + 40) // 44
    return date(year, month, offset + 28 - 31 * (month // 4))
