"""The definitions of docs/metrics.md, each on rows that would tell a wrong one apart."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from app.reports.figures import Outcomes, Share, Tally
from app.reports.metrics import CurrencyReport, overview
from app.vocabulary import RecoveredBy, StopReason
from tests.integration.reports.conftest import NOW, Books

APRIL = datetime(2026, 4, 10, 9, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, 9, tzinfo=UTC)


def of(books: Books, currency: str = "eur", **period: object) -> CurrencyReport:
    with books.session() as session:
        found = overview(session, now=NOW, **period)
    return next(each for each in found.currencies if each.currency == currency)


def test_every_case_is_counted_under_exactly_one_outcome(books: Books) -> None:
    books.recovered(APRIL, 3, amount=1000)
    books.recovered(APRIL, 3, RecoveredBy.OUT_OF_BAND, amount=200)
    books.exhausted(APRIL, 28, amount=30)
    books.closed(APRIL, 5, StopReason.VOIDED, amount=4)
    books.closed(APRIL, 5, StopReason.CANCELLED, amount=500)
    books.case(JUNE, amount=7)

    assert of(books).outcomes == Outcomes(
        recovered=Tally(1, 1000),
        settled_elsewhere=Tally(1, 200),
        lost=Tally(2, 530),
        withdrawn=Tally(1, 4),
        in_recovery=Tally(1, 7),
        failed=Tally(6, 1741),
    )


def test_an_invoice_settled_without_a_payment_is_no_recovery(books: Books) -> None:
    books.recovered(APRIL, 3, RecoveredBy.CUSTOMER, paid=0)
    books.recovered(APRIL, 3, RecoveredBy.OUT_OF_BAND)

    report = of(books)

    assert report.outcomes.recovered == Tally()
    assert report.recovered_by == {}
    assert report.outcomes.recovery_rate == Share(0, 0)
    assert report.median_days_to_recover is None


def test_voiding_the_debt_after_the_end_does_not_hide_the_loss(books: Books) -> None:
    books.closed(APRIL, 30, StopReason.VOIDED, exhausted_at=APRIL + timedelta(days=28))

    assert of(books).outcomes.lost == Tally(1, 1000)
    assert of(books).outcomes.withdrawn == Tally()


def test_recovered_money_is_what_came_and_not_what_was_owed(books: Books) -> None:
    books.recovered(APRIL, 1, amount=1000, paid=600)
    books.exhausted(APRIL, 28, amount=1000)

    assert of(books).matured.recovery_rate == Share(by_cases=0.5, by_amount=0.3)


def test_each_recovery_has_one_cause_and_the_causes_add_up(books: Books) -> None:
    books.recovered(APRIL, 1, RecoveredBy.RETRY, amount=100)
    books.recovered(APRIL, 2, RecoveredBy.RETRY, amount=100)
    books.recovered(APRIL, 3, RecoveredBy.NEW_CARD, amount=50)

    report = of(books)

    assert report.recovered_by == {RecoveredBy.RETRY: Tally(2, 200), RecoveredBy.NEW_CARD: Tally(1, 50)}
    assert sum(report.recovered_by.values(), Tally()) == report.outcomes.recovered


def test_currencies_are_never_added_up(books: Books) -> None:
    books.recovered(APRIL, 1, amount=1000, currency="eur")
    books.recovered(APRIL, 1, amount=5000, currency="jpy")

    with books.session() as session:
        found = overview(session, now=NOW)

    assert [(each.currency, each.outcomes.failed.amount) for each in found.currencies] == [("eur", 1000), ("jpy", 5000)]


def test_a_case_counts_for_the_matured_rate_only_once_its_window_has_closed(books: Books) -> None:
    books.recovered(JUNE, 1, window=28)  # decided, but its window still runs: quick recoveries must not come first
    books.exhausted(JUNE, 10, window=10)
    books.case(JUNE, window=60)

    report = of(books)

    assert report.matured.recovery_rate == Share(0, 0)
    assert report.matured.owed == Tally(1, 1000)
    assert report.still_open.recovery_rate == Share(0.5, 0.5)
    assert report.still_open.rate_of_decided == Share(1, 1)


def test_the_share_of_nothing_is_unknown_and_not_zero(books: Books) -> None:
    books.closed(APRIL, 1, StopReason.VOIDED)

    assert of(books).matured.recovery_rate == Share(None, None)


def test_a_cohort_has_matured_when_its_month_and_every_window_are_over(books: Books) -> None:
    books.recovered(APRIL, 1)
    books.exhausted(datetime(2026, 5, 20, tzinfo=UTC), 10, window=60)
    books.exhausted(datetime(2026, 6, 1, tzinfo=UTC), 1, window=1)

    cohorts = of(books).cohorts

    assert [(cohort.month.month, cohort.is_matured) for cohort in cohorts] == [(4, True), (5, False), (6, False)]


def test_a_day_begins_and_ends_in_utc(books: Books) -> None:
    books.case(datetime(2026, 4, 30, 23, 59, tzinfo=UTC))
    books.case(datetime(2026, 5, 1, 0, 1, tzinfo=UTC))

    with books.session() as session:
        session.connection().exec_driver_sql("set local time zone 'Pacific/Auckland'")
        report = overview(session, now=NOW, until=date(2026, 4, 30)).currencies[0]

    assert report.outcomes.failed.cases == 1
    assert [cohort.month for cohort in report.cohorts] == [date(2026, 4, 1)]


def test_both_ends_of_the_period_are_included(books: Books) -> None:
    for day in (9, 10, 11, 12):
        books.case(datetime(2026, 4, day, 12, tzinfo=UTC))

    assert of(books, since=date(2026, 4, 10), until=date(2026, 4, 11)).outcomes.failed.cases == 2


def test_one_currency_can_be_asked_for_in_any_spelling(books: Books) -> None:
    books.case(APRIL, currency="eur")
    books.case(APRIL, currency="usd")

    with books.session() as session:
        found = overview(session, now=NOW, currency="USD")

    assert [each.currency for each in found.currencies] == ["usd"]


def test_days_to_recover_run_from_the_first_failure_to_the_payment(books: Books) -> None:
    for days in (1, 2, 6):
        books.recovered(APRIL, days)
    books.exhausted(APRIL, 28)

    report = of(books)

    assert report.median_days_to_recover == pytest.approx(2)
    assert report.mean_days_to_recover == pytest.approx(3)


def test_an_organization_sees_its_own_cases_only(make_books: Callable[[], Books]) -> None:
    mine, theirs = make_books(), make_books()
    mine.case(APRIL, amount=1)
    theirs.case(APRIL, amount=1000)

    assert of(mine).outcomes.failed == Tally(1, 1)


def test_nothing_failed_is_an_empty_report(books: Books) -> None:
    with books.session() as session:
        assert overview(session, now=NOW, since=date(2030, 1, 1)).currencies == ()
