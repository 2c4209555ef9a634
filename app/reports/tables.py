"""Reports as tables of plain cells, and those as CSV. Knows which figures exist, but not how people see them.

In CSV an amount stands twice: exact in minor units, and in major units as spreadsheets want it. Rates are shares
between 0 and 1; a rate that does not exist is an empty cell, never a zero.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TextIO

from app.money import Money
from app.reports.cases import CaseLine
from app.reports.figures import Outcomes, Tally
from app.reports.metrics import CurrencyReport, Overview
from app.reports.movements import Movement

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """Named columns and rows of plain cells; `rows` may be read once only."""

    columns: tuple[str, ...]
    rows: Iterable[Row]


def currency_table(report: Overview) -> Table:
    """One row for each measure of each currency; recoveries also by cause. `share` is the part of what was owed."""
    columns = ("currency", "measure", "cause", "cases", "amount_minor", "amount", "share_of_cases", "share_of_amount")
    return Table(columns, (row for currency in report.currencies for row in _measure_rows(currency)))


def cohort_table(report: Overview) -> Table:
    """One row for each month in which payments first failed. A rate is final only where `matured` is true."""
    columns = (
        "currency", "month", "matured", "failed", "failed_minor", "recovered", "recovered_minor", "settled_elsewhere",
        "lost", "withdrawn", "in_recovery", "rate_of_cases", "rate_of_amount", "rate_of_decided_cases",
        "rate_of_decided_amount",
    )  # fmt: skip
    return Table(columns, (row for currency in report.currencies for row in _cohort_rows(currency)))


def movement_table(moved: Iterable[Movement]) -> Table:
    """One row for each day, currency, measure and cause."""
    columns = ("day", "currency", "measure", "cause", "cases", "amount_minor", "amount")
    return Table(columns, (_movement_row(movement) for movement in moved))


def case_table(lines: Iterable[CaseLine]) -> Table:
    """One row for each case, its amounts in minor units."""
    return Table(tuple(field.name for field in fields(CaseLine)), (astuple(line) for line in lines))


def write_csv(table: Table, file: TextIO) -> None:
    """Write `table` with a header line; moments as ISO 8601 in UTC."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([cell(value) for value in row] for row in table.rows)


def _measure_rows(report: CurrencyReport) -> Iterator[Row]:
    outcomes = report.outcomes
    yield _measure_row(report.currency, "failed", None, outcomes.failed, None)
    yield _measure_row(report.currency, "recovered", None, outcomes.recovered, outcomes)
    for cause, total in report.recovered_by.items():
        yield _measure_row(report.currency, "recovered", cause.value, total, outcomes)
    yield _measure_row(report.currency, "settled_elsewhere", None, outcomes.settled_elsewhere, outcomes)
    yield _measure_row(report.currency, "lost", None, outcomes.lost, outcomes)
    yield _measure_row(report.currency, "in_recovery", None, outcomes.in_recovery, outcomes)
    yield _measure_row(report.currency, "withdrawn", None, outcomes.withdrawn, None)


def _measure_row(currency: str, measure: str, cause: str | None, total: Tally, outcomes: Outcomes | None) -> Row:
    part = outcomes.share_of_owed(total) if outcomes else None
    shares = (part.by_cases, part.by_amount) if part else (None, None)
    return currency, measure, cause, total.cases, total.amount, Money(total.amount, currency).decimal(), *shares


def _cohort_rows(report: CurrencyReport) -> Iterator[Row]:
    for cohort in report.cohorts:
        of = cohort.outcomes
        yield (
            report.currency, cohort.month, cohort.is_matured, of.failed.cases, of.failed.amount, of.recovered.cases,
            of.recovered.amount, of.settled_elsewhere.cases, of.lost.cases, of.withdrawn.cases, of.in_recovery.cases,
            *astuple(of.recovery_rate), *astuple(of.rate_of_decided),
        )  # fmt: skip


def _movement_row(movement: Movement) -> Row:
    total = movement.total
    amount = Money(total.amount, movement.currency).decimal()
    return movement.day, movement.currency, movement.measure, movement.cause, total.cases, total.amount, amount


def cell(value: Any) -> str:
    """One value as text; nothing is empty."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.4f}"
        case Decimal():
            return f"{value:f}"
        case date() | datetime():
            return value.isoformat()
        case _:
            return str(value)
