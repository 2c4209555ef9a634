"""The first page: money at risk, won back and lost by currency, what needs a person, and what comes next."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask import render_template
from flask.typing import ResponseReturnValue

from app.console import current
from app.console.attention import find_concerns
from app.console.blueprint import console
from app.console.charts import BalanceChart, balance_chart
from app.recovery.case_lists import CaseFilter, CaseOrder, list_cases
from app.reports.figures import Tally
from app.reports.metrics import ATTRIBUTION_RULE, CurrencyReport
from app.reports.metrics import overview as figures
from app.reports.movements import Movement, daily_series, movements
from app.reports.views import Period
from app.vocabulary import OPEN_CASE_STATES, RecoveredBy

DAYS = 30
UPCOMING = 8


@dataclass(frozen=True)
class CurrencyTiles:
    """One currency's tiles: the present (`report`, all cases) and what moved in the last 30 days."""

    report: CurrencyReport
    recovered: Tally
    by_cause: dict[RecoveredBy, Tally]
    lost: Tally
    chart: BalanceChart


@console.get("/")
def overview() -> ResponseReturnValue:
    now = current.now()
    period = Period(now.date() - timedelta(days=DAYS - 1), now.date())
    with current.rows() as session:
        report = figures(session, now=now)
        moved = movements(session, period)
        concerns = find_concerns(session, now)
        upcoming = list_cases(session, CaseFilter(states=OPEN_CASE_STATES, order=CaseOrder.NEXT_STEP), now)
    return render_template(
        "console/overview.html",
        tiles=[_tiles(currency, moved, now.date()) for currency in report.currencies],
        concerns=concerns,
        upcoming=upcoming.rows[:UPCOMING],
        open_cases=upcoming.total,
        attribution_rule=ATTRIBUTION_RULE,
    )


def _tiles(report: CurrencyReport, moved: list[Movement], today: date) -> CurrencyTiles:
    mine = [movement for movement in moved if movement.currency == report.currency]
    recovered = [movement for movement in mine if movement.measure == "recovered"]
    first = today - timedelta(days=DAYS - 1)

    def series(measure: str) -> list[tuple[date, Tally]]:
        return daily_series(mine, currency=report.currency, measure=measure, first=first, last=today)

    return CurrencyTiles(
        report=report,
        recovered=_total(recovered),
        by_cause=_by_cause(recovered),
        lost=_total([movement for movement in mine if movement.measure == "lost"]),
        chart=balance_chart(
            [
                (day, won.amount, lost.amount)
                for (day, won), (_, lost) in zip(series("recovered"), series("lost"), strict=True)
            ]
        ),
    )


def _total(moved: list[Movement]) -> Tally:
    return sum((movement.total for movement in moved), Tally())


def _by_cause(moved: list[Movement]) -> dict[RecoveredBy, Tally]:
    causes = ((cause, [each for each in moved if each.cause == cause]) for cause in RecoveredBy)
    return {cause: _total(mine) for cause, mine in causes if mine}
