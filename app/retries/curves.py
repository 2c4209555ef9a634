"""How likely a charge is to be approved at a moment, if a hypothesis is true.

Each curve is a sentence: money is there after payday and runs out; a wary bank calms down within days; an outage ends
within hours; a limit is lifted on its day. What came before matters in two ways: the first failure starts the clocks,
and an account found empty stays empty until somebody pays in. Shapes are assumptions, stated here and nowhere else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.retries.hypotheses import CAUSES, PURSES, Hypotheses
from app.retries.moments import Moments
from app.retries.paydays import PaydayTable

Chances = NDArray[np.float64]

CEILING = 0.90  # also with money on the account some charges fail
WARY_NOW, WARY_LATER, WARY_DAYS = 0.05, 0.72, 4.5
OUTAGE_HOURS, OUTAGE_OVER = 5.0, 0.93
LIMIT_ON, LIMIT_LIFTED = 0.05, 0.88
NEVER = {"against": 0.03, "dead": 0.005}
BROKE, TOO_EARLY = 0.03, 0.05
ADVISED_GOOD, ADVISED_DAYS = 0.80, 4.0
MEAN_DAYS = {PURSES.index("irregular_3"): 3.0, PURSES.index("irregular_10"): 10.0}
STILL_EMPTY_MOST, STILL_EMPTY_NOW, STILL_EMPTY_PER_DAY = 0.45, 0.08, 0.03
NIGHT_UNTIL, NIGHT = 5 / 24, 0.93  # Recurly: 25 to 28% declined from one to four, 18% in business hours


@dataclass(frozen=True)
class Outlook:
    """Approval chances of hypotheses (rows) at moments (columns), had nothing been tried since the first failure.

    `payday` names the payday that each moment follows, for the rows with a calendar (the first `paid` ones);
    `irregular` are the rows whose money comes without one, and in how many days on average.
    """

    rows: Hypotheses
    at: Moments
    chance: Chances
    payday: NDArray[np.int32]
    irregular: tuple[tuple[int, float], ...]

    def after_failure(self, column: int, columns: slice) -> Chances:
        """Chances at `columns`, given that a try at the earlier moment `column` failed."""
        gone = np.abs(self.at.after[columns] - self.at.after[column])
        chance = self.chance[:, columns].copy()
        self._damp(chance, self.payday[:, columns] == self.payday[:, column][:, None], gone)
        return chance

    def at_column_after(self, columns: slice, column: int) -> Chances:
        """Chances at the moment `column`, given that a try at each of the earlier `columns` was the last to fail."""
        gone = np.abs(self.at.after[column] - self.at.after[columns])
        chance = np.repeat(self.chance[:, column][:, None], len(gone), axis=1)
        self._damp(chance, self.payday[:, columns] == self.payday[:, column][:, None], gone)
        return chance

    def _damp(self, chance: Chances, same_payday: NDArray[np.bool_], gone: NDArray[np.float64]) -> None:
        chance[: self.rows.paid] *= np.where(same_payday, still_empty(gone), 1.0)
        for row, mean in self.irregular:
            chance[row] *= 1 - np.exp(-gone / mean)


def still_empty(gone: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of a chance is left, `gone` days after an account was found empty, before the next payday."""
    return np.minimum(STILL_EMPTY_MOST, STILL_EMPTY_NOW + STILL_EMPTY_PER_DAY * gone)


def outlook(rows: Hypotheses, at: Moments, table: PaydayTable, advised: float | None) -> Outlook:
    """The outlook of `rows` at the moments `at`, the first of which must be the first failure.

    `advised` is the moment that the issuer named, in days since the first failure.
    """
    chance = np.empty((len(rows), len(at.after)))
    since, payday = table.days_since(rows.calendar[: rows.paid], rows.posting[: rows.paid], at.local)
    chance[: rows.paid] = _with_money(since, rows.lasts[: rows.paid, None])
    for row in range(rows.paid, len(rows)):
        chance[row] = _without_calendar(rows, row, at, advised)
    chance *= np.where(at.local % 1 < NIGHT_UNTIL, NIGHT, 1.0)
    means = ((row, MEAN_DAYS.get(int(rows.purse[row]))) for row in range(rows.paid, len(rows)))
    return Outlook(rows, at, chance, payday, tuple((row, mean) for row, mean in means if mean))


def _with_money(since: Chances, lasts: Chances) -> Chances:
    return CEILING / (1 + np.exp(np.minimum((since - lasts) / (0.25 * lasts + 0.3), 40)))


def _without_calendar(rows: Hypotheses, row: int, at: Moments, advised: float | None) -> Chances | float:
    cause, purse, gone = CAUSES[rows.cause[row]], int(rows.purse[row]), np.maximum(at.after, 0)
    if cause == "wary":
        return WARY_NOW + (WARY_LATER - WARY_NOW) * (1 - np.exp(-gone / WARY_DAYS))
    if cause == "outage":
        return OUTAGE_OVER * (1 - np.exp(-24 * gone / OUTAGE_HOURS))
    if cause == "daily_limit":
        return np.where(gone >= 1, LIMIT_LIFTED, LIMIT_ON)
    if cause == "monthly_limit":
        return np.where(_month(at.local) > _month(at.local[:1]), LIMIT_LIFTED, LIMIT_ON)
    if cause in NEVER:
        return NEVER[cause]
    if purse >= 0:
        return CEILING if purse in MEAN_DAYS else BROKE
    return _as_advised(gone, advised)


def _as_advised(gone: Chances, advised: float | None) -> Chances | float:
    if advised is None:
        return TOO_EARLY
    late = gone - advised
    return np.where(late < -0.01, TOO_EARLY, ADVISED_GOOD / (1 + np.exp(np.minimum(late - 2 * ADVISED_DAYS, 40))))


def _month(local: NDArray[np.float64]) -> NDArray[np.int64]:
    days = np.floor(local).astype(np.int64) - 719163  # the ordinal of 1 January 1970
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
