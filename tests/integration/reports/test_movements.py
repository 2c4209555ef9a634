"""Daily movements: on the day it happened, and adding up to what the overview says."""

from datetime import UTC, date, datetime, timedelta

from app.reports.figures import Tally
from app.reports.metrics import overview
from app.reports.movements import Movement, daily_series, movements
from app.reports.views import Period
from app.vocabulary import RecoveredBy, StopReason
from tests.integration.reports.conftest import NOW, Books

MONDAY = datetime(2026, 5, 4, 22, tzinfo=UTC)


def moved(books: Books, period: Period | None = None) -> list[Movement]:
    with books.session() as session:
        return movements(session, period or Period())


def test_a_recovery_stands_on_the_day_the_money_came(books: Books) -> None:
    books.recovered(MONDAY, 1.5, RecoveredBy.NEW_CARD, amount=1000, paid=900)

    assert moved(books) == [
        Movement(date(2026, 5, 4), "eur", "failed", None, Tally(1, 1000)),
        Movement(date(2026, 5, 6), "eur", "recovered", "new_card", Tally(1, 900)),
    ]


def test_a_loss_stands_on_the_day_the_case_ran_out_whatever_was_done_to_the_debt_later(books: Books) -> None:
    books.closed(MONDAY, 9, StopReason.VOIDED, exhausted_at=MONDAY + timedelta(days=3))

    assert moved(books)[1] == Movement(date(2026, 5, 7), "eur", "lost", None, Tally(1, 1000))


def test_movements_of_all_days_add_up_to_the_overview(books: Books) -> None:
    books.recovered(MONDAY, 1)
    books.recovered(MONDAY, 2, RecoveredBy.OUT_OF_BAND)
    books.exhausted(MONDAY, 5)
    books.closed(MONDAY, 1, StopReason.VOIDED)
    books.closed(MONDAY, 1, StopReason.OPERATOR)
    books.case(MONDAY)

    with books.session() as session:
        outcomes = overview(session, now=NOW).currencies[0].outcomes
    for measure in ("failed", "recovered", "settled_elsewhere", "lost", "withdrawn"):
        of_days = [movement.total for movement in moved(books) if movement.measure == measure]
        assert sum(of_days, Tally()) == getattr(outcomes, measure)


def test_a_period_bounds_the_days_things_happened_on(books: Books) -> None:
    books.recovered(MONDAY, 10)

    found = moved(books, Period(since=date(2026, 5, 10)))

    assert [movement.measure for movement in found] == ["recovered"]


def test_a_series_has_a_point_for_every_day_and_joins_causes(books: Books) -> None:
    books.recovered(MONDAY, 1, RecoveredBy.RETRY, amount=10)
    books.recovered(MONDAY, 1, RecoveredBy.NEW_CARD, amount=5)

    series = daily_series(
        moved(books), currency="eur", measure="recovered", first=date(2026, 5, 4), last=date(2026, 5, 6)
    )

    assert series == [(date(2026, 5, 4), Tally()), (date(2026, 5, 5), Tally(2, 15)), (date(2026, 5, 6), Tally())]
