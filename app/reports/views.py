"""The two metric views of the database, as SQLAlchemy sees them, and the filters every report shares.

The views are made by migrations; row-level security shows each transaction its own organization only.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, column, table, true

CASES = table(
    "case_metrics",
    *map(
        column,
        (
            "case_id",
            "currency",
            "decline_class",
            "failed_at",
            "failed_on",
            "window_ends_at",
            "failed_amount",
            "outcome",
            "recovered_amount",
            "recovered_by",
            "recovered_at",
            "ended_at",
            "days_to_recover",
            "attempts",
            "messages",
        ),
    ),
)
DAYS = table("daily_metrics", *map(column, ("day", "currency", "measure", "cause", "cases", "amount")))


@dataclass(frozen=True)
class Period:
    """Which days and currency a report is about: `since` and `until` are UTC days, both included; None is no bound."""

    since: date | None = None
    until: date | None = None
    currency: str | None = None

    def holds(self, day: ColumnElement[date], currency: ColumnElement[str]) -> ColumnElement[bool]:
        """The SQL condition that a row's `day` and `currency` belong to this period."""
        conditions: list[ColumnElement[bool]] = [true()]
        if self.since is not None:
            conditions.append(day >= self.since)
        if self.until is not None:
            conditions.append(day <= self.until)
        if self.currency is not None:
            conditions.append(currency == self.currency.lower())
        return and_(*conditions)
