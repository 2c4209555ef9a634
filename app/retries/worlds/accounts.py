"""A person's account, day by day: wages in, bills and living out, and noise that lasts for a day or two.

Refuses to know cards, codes and planners. All days are local ordinals.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.retries.worlds.parameters import common, pick

BURN_IN, AHEAD = 70, 70
QUARTERS = 4  # noise steps a day
STEPS = (BURN_IN + AHEAD) * QUARTERS
BILL_SHARE, BILL_DAYS = 0.12, (1, 5, 15)


@dataclass(frozen=True)
class Account:
    """Log of money over amount due: `level` after each day's bookings, `posted` the part of the day when wages come.

    `noise` is one path in quarters of a day; `first` the ordinal of day 0.
    """

    first: int
    level: NDArray[np.float64]
    noise: NDArray[np.float64]
    posted: float
    next_paydays: tuple[int, ...]

    def planned(self, local: float) -> float:
        """The level at a local moment without the noise: the day's wages count once they are posted."""
        day = local - self.posted - self.first
        whole = min(max(int(day), 0), len(self.level) - 2)
        part = min(max(day - whole, 0.0), 1.0)
        start, end = self.level[whole], self.level[whole + 1]
        return float(start + (end - start) * part if end < start else start)

    def actual(self, local: float) -> float:
        """The level at a local moment."""
        step = min(max(int((local - self.first) * QUARTERS), 0), len(self.noise) - 1)
        return self.planned(local) + float(self.noise[step])


def open_account(parameters: dict[str, Any], around: int, rng: np.random.Generator) -> Account:
    """An account of a person of this world, simulated for weeks before and after the day `around`."""
    first = around - BURN_IN
    paydays = _paydays(pick(parameters["paydays"], rng), parameters, first, rng)
    lasts = parameters["lasts_days"]["median"] * np.exp(parameters["lasts_days"]["spread"] * rng.standard_normal())
    per_year = max(len(paydays), 1) * 365 / (BURN_IN + AHEAD)
    money = _balances(paydays - first, 24.0 / per_year, lasts, rng)
    # The amount due is measured in what is left after so many days of an ordinary pay period.
    due = np.exp(-rng.uniform(0.1, 0.9)) * 24.0 / per_year
    level = np.log(np.maximum(money, 1e-3) / due)
    noise = common()["noise_spread"] * (_memory() @ rng.standard_normal(STEPS))
    return Account(first, level, noise, rng.uniform(0.0, 9 / 24), tuple(int(day) for day in paydays))


def _balances(paid_on: NDArray[np.int64], wage: float, lasts: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Money at the end of each day: living costs take a share that grows until the next wage, bills a part at once."""
    income = np.zeros(BURN_IN + AHEAD)
    income[paid_on[(paid_on >= 0) & (paid_on < len(income))]] = wage
    income *= rng.normal(1.0, 0.08, len(income))
    income += wage * 0.6 * (rng.random(len(income)) < 0.008)  # a friend pays back, a refund comes
    bill_day, bill = int(rng.choice(BILL_DAYS)), BILL_SHARE * wage
    money, left = np.empty(len(income)), wage / 2
    for day in range(len(income)):
        left = left * np.exp(-1 / lasts) + income[day] - (bill if day % 30 == bill_day else 0.0)
        left = max(left, 0.02 * wage)
        money[day] = left
    return money


def _paydays(kind: str, parameters: dict[str, Any], first: int, rng: np.random.Generator) -> NDArray[np.int64]:
    days = range(first, first + BURN_IN + AHEAD + 4)
    if kind.startswith("days"):
        wanted = [str(rng.integers(1, 29))] if kind == "days any" else kind.split()[1:]
        nominal = [day for day in days if _is_one_of(date.fromordinal(day), wanted)]
    else:
        weekday = "mon tue wed thu fri".split().index(pick(parameters["weekdays"], rng))
        every, phase = (14, int(rng.integers(2)) * 7) if kind == "fortnightly" else (7, 0)
        nominal = [day for day in days if (day - 1 - weekday - phase) % every == 0]
    return np.array([_moved_back(day) for day in nominal], dtype=np.int64)


def _is_one_of(day: date, wanted: list[str]) -> bool:
    longest = monthrange(day.year, day.month)[1]
    return any(day.day == min(int(each), longest) for each in wanted)


def _moved_back(day: int) -> int:
    weekday = date.fromordinal(day).weekday()
    return day - max(weekday - 4, 0)


@lru_cache(maxsize=1)
def _memory() -> NDArray[np.float64]:
    """The matrix that turns independent steps into noise of spread 1 that is forgotten within days."""
    keeps = np.exp(-1 / (common()["noise_memory_days"] * QUARTERS))
    lag = np.arange(STEPS)[:, None] - np.arange(STEPS)[None, :]
    kernel = np.where(lag >= 0, keeps ** np.maximum(lag, 0), 0.0)
    return np.asarray(kernel * np.sqrt(1 - keeps**2))


def ordinal_of(local: Any) -> float:
    """A local datetime as its day's ordinal and the part of the day that has passed."""
    return float(local.toordinal() + timedelta(hours=local.hour, minutes=local.minute).seconds / 86400)
