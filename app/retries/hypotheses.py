"""Every story that could explain a failed payment: why it failed, how this person is paid, how long pay lasts.

A hypothesis is one cause; for "the account was empty" it is also a purse (how money comes and goes) and, where money
comes by calendar, a pay calendar and the time of day when pay is posted. Exactly one is true of a case; the planner
holds weights over all of them.
"""

from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from app.retries.paydays import CALENDARS, POSTINGS

CAUSES = ("empty", "wary", "against", "outage", "daily_limit", "monthly_limit", "dead")
PURSES = ("broke", "irregular_3", "irregular_10", "pay_1", "pay_2", "pay_4", "pay_9", "pay_18")
GROUPS = ("no_funds", "opaque", "generic", "technical", "limit", "risk")
LASTS_DAYS = {"pay_1": 1.0, "pay_2": 2.2, "pay_4": 4.0, "pay_9": 9.0, "pay_18": 18.0}
PAID = tuple(LASTS_DAYS)


@dataclass(frozen=True)
class Hypotheses:
    """The hypotheses as columns of equal length: those with a calendar first, row by row (calendar, posting, purse)."""

    cause: NDArray[np.intp]
    purse: NDArray[np.intp]
    calendar: NDArray[np.intp]
    posting: NDArray[np.intp]
    lasts: NDArray[np.float64]
    paid: int

    def __len__(self) -> int:
        return len(self.cause)

    def some(self, rows: NDArray[np.intp]) -> "Hypotheses":
        """Only these rows, which must be in rising order."""
        paid = int(np.searchsorted(rows, self.paid))
        return Hypotheses(
            self.cause[rows], self.purse[rows], self.calendar[rows], self.posting[rows], self.lasts[rows], paid
        )


def _all() -> Hypotheses:
    by_calendar = product(range(len(CALENDARS)), range(len(POSTINGS)), PAID)
    rows = [(0, PURSES.index(purse), number, posting, LASTS_DAYS[purse]) for number, posting, purse in by_calendar]
    paid = len(rows)
    rows += [(0, PURSES.index(purse), -1, -1, 0.0) for purse in PURSES if purse not in PAID]
    rows.append((0, -1, -1, -1, 0.0))  # the issuer has named the day itself
    rows += [(cause, -1, -1, -1, 0.0) for cause in range(1, len(CAUSES))]
    cause, purse, calendar, posting, lasts = (np.array(column) for column in zip(*rows, strict=True))
    return Hypotheses(cause, purse, calendar, posting, lasts, paid)


ALL = _all()
ADVISED = ALL.paid + len(PURSES) - len(PAID)


@cache
def name_of(row: int) -> str:
    """A hypothesis in words of the tables: `empty pay_4 monthly-28 morning`, `wary`, `empty advised`."""
    if row == ADVISED:
        return "empty advised"
    cause, purse, calendar = int(ALL.cause[row]), int(ALL.purse[row]), int(ALL.calendar[row])
    parts = [CAUSES[cause], PURSES[purse] if purse >= 0 else ""]
    parts += [CALENDARS[calendar], POSTINGS[int(ALL.posting[row])]] if calendar >= 0 else []
    return " ".join(part for part in parts if part)
