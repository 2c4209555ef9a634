"""What programs read: CSV and JSON of the same figures, and the rows behind them."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO

from app.reports import tables
from app.reports.cases import case_lines
from app.reports.metrics import overview
from app.reports.movements import movements
from app.reports.plain import plain_overview
from app.reports.views import Period
from app.vocabulary import RecoveredBy
from tests.integration.reports.conftest import NOW, Books

MAY = datetime(2026, 5, 4, tzinfo=UTC)


def read(table: tables.Table) -> list[dict[str, str]]:
    file = StringIO()
    tables.write_csv(table, file)
    return list(csv.DictReader(StringIO(file.getvalue())))


def test_the_rows_behind_a_figure_carry_the_outcome_they_were_counted_under(books: Books) -> None:
    recovered = books.recovered(MAY, 2.5, RecoveredBy.NEW_CARD, amount=1999, currency="usd")
    books.case(MAY)

    with books.session() as session:
        lines = {line["case_id"]: line for line in read(tables.case_table(case_lines(session, Period())))}

    assert len(lines) == 2
    line = lines[str(recovered)]
    assert (line["outcome"], line["recovered_by"], line["failed_amount"]) == ("recovered", "new_card", "1999")
    assert (line["days_to_recover"], line["failed_at"]) == ("2.5000", "2026-05-04T00:00:00+00:00")
    assert line["ended_at"] == ""


def test_amounts_stand_in_minor_and_in_exact_major_units_of_every_currency(books: Books) -> None:
    for currency in ("eur", "jpy", "kwd"):
        books.case(MAY, amount=12345, currency=currency)

    with books.session() as session:
        rows = read(tables.movement_table(movements(session, Period())))

    assert [(row["currency"], row["amount_minor"], row["amount"]) for row in rows] == [
        ("eur", "12345", "123.45"),
        ("jpy", "12345", "12345"),
        ("kwd", "12345", "12.345"),
    ]


def test_shares_in_csv_are_of_what_was_owed_and_empty_where_they_mean_nothing(books: Books) -> None:
    books.recovered(MAY, 1)
    books.exhausted(MAY, 5)

    with books.session() as session:
        rows = read(tables.currency_table(overview(session, now=NOW)))

    shares = {(row["measure"], row["cause"]): row["share_of_cases"] for row in rows}
    assert shares[("failed", "")] == ""
    assert shares[("recovered", "")] == shares[("recovered", "retry")] == shares[("lost", "")] == "0.5000"


def test_cohorts_in_csv_say_whether_they_can_still_change(books: Books) -> None:
    books.recovered(MAY, 1, window=20)
    books.case(NOW)

    with books.session() as session:
        rows = read(tables.cohort_table(overview(session, now=NOW)))

    assert [(row["month"], row["matured"], row["rate_of_cases"]) for row in rows] == [
        ("2026-05-01", "yes", "1.0000"),
        ("2026-06-01", "no", "0.0000"),
    ]
    assert rows[1]["rate_of_decided_cases"] == ""


def test_the_json_gives_an_open_cohort_a_range_and_no_rate(books: Books) -> None:
    books.recovered(MAY, 1, window=20)
    books.case(NOW)

    with books.session() as session:
        plain = json.loads(json.dumps(plain_overview(overview(session, now=NOW))))

    may, june = plain["currencies"]["eur"]["cohorts"]
    assert (may["rate"], may["range"]) == ({"by_cases": 1.0, "by_amount": 1.0}, None)
    assert june["rate"] is None
    assert june["range"]["of_all"] == {"by_cases": 0.0, "by_amount": 0.0}
    assert june["range"]["of_decided"] == {"by_cases": None, "by_amount": None}
