"""The rows behind every figure: one line a case, with the outcome that the figures counted it under."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.reports.views import CASES, Period

_COLUMNS = (
    "case_id",
    "currency",
    "failed_at",
    "failed_amount",
    "outcome",
    "recovered_amount",
    "recovered_by",
    "recovered_at",
    "ended_at",
    "days_to_recover",
    "window_ends_at",
    "decline_class",
    "attempts",
    "messages",
)


@dataclass(frozen=True)
class CaseLine:
    """One case. Amounts are minor units of `currency`; `attempts` are all charges, `messages` accepted mails."""

    case_id: UUID
    currency: str
    failed_at: datetime
    failed_amount: int
    outcome: str
    recovered_amount: int
    recovered_by: str | None
    recovered_at: datetime | None
    ended_at: datetime | None
    days_to_recover: float | None
    window_ends_at: datetime
    decline_class: str | None
    attempts: int
    messages: int


def case_lines(session: Session, period: Period) -> Iterator[CaseLine]:
    """The cases that first failed in the period, oldest first; read in batches, so memory stays small."""
    query = (
        select(*(CASES.c[name] for name in _COLUMNS))
        .where(period.holds(CASES.c.failed_on, CASES.c.currency))
        .order_by(CASES.c.failed_at, CASES.c.case_id)
        .execution_options(yield_per=1000)
    )
    for row in session.execute(query):
        values = dict(zip(_COLUMNS, row, strict=True))
        days = values["days_to_recover"]
        yield CaseLine(**{**values, "days_to_recover": None if days is None else float(days)})
