"""Recovery figures by currency and cohort, from the case view. Refuses to mix currencies or call open cohorts final.

A cohort is the cases of one currency whose payment first failed in the same UTC month. The definitions, word for word,
are in docs/metrics.md; this module and the views carry them out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, cast, func, select
from sqlalchemy.orm import Session

from app.reports.figures import Outcomes, Tally
from app.reports.views import CASES, Period
from app.vocabulary import RecoveredBy

ATTRIBUTION_RULE = (
    "Each recovery has one cause: the last thing that happened before the money came. "
    "Invoices settled outside Stripe's payments are counted apart."
)


@dataclass(frozen=True)
class Cohort:
    """The cases of one month. `is_matured`: the month is over and the window of every case has closed."""

    month: date
    is_matured: bool
    outcomes: Outcomes


@dataclass(frozen=True)
class CurrencyReport:
    """One currency. `matured` and `still_open` part `outcomes` by whether each case's window has closed.

    Days to recover run from the first failure to the payment, recovered cases only; None when there are none.
    """

    currency: str
    outcomes: Outcomes
    matured: Outcomes
    still_open: Outcomes
    recovered_by: dict[RecoveredBy, Tally]
    median_days_to_recover: float | None
    mean_days_to_recover: float | None
    cohorts: tuple[Cohort, ...]


@dataclass(frozen=True)
class Overview:
    """Every currency that had a failure in the period, in alphabetical order; `as_of` decides what has matured."""

    as_of: datetime
    period: Period
    currencies: tuple[CurrencyReport, ...]


@dataclass(frozen=True)
class _Group:
    """Cases that agree in everything a report distinguishes."""

    currency: str
    month: date
    is_matured: bool
    outcome: str
    recovered_by: str | None
    cases: int
    failed_amount: int
    recovered_amount: int

    def outcomes(self) -> Outcomes:
        debt = Tally(self.cases, self.failed_amount)
        mine = self.received if self.outcome == "recovered" else debt
        return Outcomes(**{self.outcome: mine, "failed": debt})

    @property
    def received(self) -> Tally:
        return Tally(self.cases, self.recovered_amount)


def overview(
    session: Session,
    *,
    now: datetime,
    currency: str | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Overview:
    """Figures of the cases whose payment first failed on the UTC days `since` to `until`, both included.

    `session` is a transaction of one organization; `now` decides which windows have closed.
    """
    period = Period(since, until, currency)
    groups = _groups(session, now, period)
    days = _days_to_recover(session, period)
    return Overview(
        as_of=now,
        period=period,
        currencies=tuple(
            _currency_report(code, [group for group in groups if group.currency == code], days.get(code), now)
            for code in sorted({group.currency for group in groups})
        ),
    )


def _groups(session: Session, now: datetime, period: Period) -> list[_Group]:
    cases = CASES.c
    kinds = (
        cases.currency,
        func.date_trunc("month", cast(cases.failed_on, DateTime)).label("month"),
        (cases.window_ends_at <= now).label("is_matured"),
        cases.outcome,
        cases.recovered_by,
    )
    query = (
        select(
            *kinds,
            func.count(),
            cast(func.sum(cases.failed_amount), BigInteger),
            cast(func.sum(cases.recovered_amount), BigInteger),
        )
        .where(period.holds(cases.failed_on, cases.currency))
        .group_by(*kinds)
    )
    return [_Group(row[0], date(row[1].year, row[1].month, 1), *row[2:]) for row in session.execute(query)]


def _days_to_recover(session: Session, period: Period) -> dict[str, Sequence[Any]]:
    cases = CASES.c
    query = (
        select(
            cases.currency,
            func.percentile_cont(0.5).within_group(cases.days_to_recover),
            func.avg(cases.days_to_recover),
        )
        .where(cases.outcome == "recovered", period.holds(cases.failed_on, cases.currency))
        .group_by(cases.currency)
    )
    return {row[0]: (float(row[1]), float(row[2])) for row in session.execute(query)}


def _currency_report(
    currency: str, groups: list[_Group], days: Sequence[float] | None, now: datetime
) -> CurrencyReport:
    median, mean = days or (None, None)
    return CurrencyReport(
        currency=currency,
        outcomes=_total(groups),
        matured=_total(group for group in groups if group.is_matured),
        still_open=_total(group for group in groups if not group.is_matured),
        recovered_by=_causes(groups),
        median_days_to_recover=median,
        mean_days_to_recover=mean,
        cohorts=tuple(
            _cohort(month, [group for group in groups if group.month == month], now)
            for month in sorted({group.month for group in groups})
        ),
    )


def _total(groups: Iterable[_Group]) -> Outcomes:
    return sum((group.outcomes() for group in groups), Outcomes())


def _causes(groups: list[_Group]) -> dict[RecoveredBy, Tally]:
    causes: dict[RecoveredBy, Tally] = {}
    for group in groups:
        if group.outcome == "recovered" and group.recovered_by:
            cause = RecoveredBy(group.recovered_by)
            causes[cause] = causes.get(cause, Tally()) + group.received
    return {cause: causes[cause] for cause in RecoveredBy if cause in causes}


def _cohort(month: date, groups: list[_Group], now: datetime) -> Cohort:
    is_over = (month.year, month.month) < (now.year, now.month)
    return Cohort(month, is_over and all(group.is_matured for group in groups), _total(groups))
