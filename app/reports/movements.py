"""What moved on each UTC day: failures, recoveries, losses on the day they happened. For charts, and for books.

Unlike the overview, which follows cases from their first failure, a recovery counts here on the day the money came. A
late payment takes the case out of the day it was lost, so past days may still change.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.reports.figures import Tally
from app.reports.views import DAYS, Period

MEASURES = ("failed", "recovered", "settled_elsewhere", "lost", "withdrawn")


@dataclass(frozen=True)
class Movement:
    """One measure (see `MEASURES`) on one UTC day in one currency; only recoveries and settlements have a `cause`."""

    day: date
    currency: str
    measure: str
    cause: str | None
    total: Tally


def movements(session: Session, period: Period) -> list[Movement]:
    """Every movement of the period, oldest day first; days on which nothing moved are left out."""
    days = DAYS.c
    query = (
        select(days.day, days.currency, days.measure, days.cause, days.cases, days.amount)
        .where(period.holds(days.day, days.currency))
        .order_by(days.day, days.currency, days.measure, days.cause)
    )
    return [Movement(*row[:4], Tally(row.cases, row.amount)) for row in session.execute(query)]


def daily_series(
    moved: Iterable[Movement], *, currency: str, measure: str, first: date, last: date
) -> list[tuple[date, Tally]]:
    """One point for each day from `first` to `last`, zeros included, all causes of `measure` together."""
    totals: dict[date, Tally] = {}
    for movement in moved:
        if (movement.currency, movement.measure) == (currency, measure):
            totals[movement.day] = totals.get(movement.day, Tally()) + movement.total
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return [(day, totals.get(day, Tally())) for day in days]
