"""`recoup report`, as a person and as a program read it."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app import embedded
from app.bell import Bell
from app.clock import SandboxClock
from app.context import Context
from app.crypto import KeyRing
from app.db import Database
from app.models import Organization
from app.settings import Settings
from app.vocabulary import RecoveredBy
from tests.integration.reports.conftest import Books, fresh_database

MAY = datetime(2026, 5, 4, tzinfo=UTC)
Command = Callable[..., Result]
module = import_module("app.cli.report")  # the package itself names the command so


@pytest.fixture
def books_database(services: embedded.Services) -> Iterator[Database]:
    """One for each test: the command looks which organizations there are."""
    with fresh_database(services) as database:
        yield database


@pytest.fixture
def command(books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    context = Context(
        settings=Settings(_env_file=None, home=tmp_path),
        clock=SandboxClock(tmp_path / "clock.json"),
        database=books.database,
        bell=Bell("redis://127.0.0.1:1/0"),
        keys=KeyRing.parse("tests:" + "A" * 43 + "="),
    )
    monkeypatch.setattr(module, "open_context", lambda: context)
    return lambda *arguments: CliRunner().invoke(module.report, arguments, env={"COLUMNS": "200"})


def slug_of(books: Books) -> str:
    with books.database.system() as session:
        return session.get_one(Organization, books.first.organization_id).slug


def test_people_get_a_table_for_each_currency_with_the_rule_beneath(books: Books, command: Command) -> None:
    books.recovered(MAY, 2, RecoveredBy.NEW_CARD, amount=1999, currency="usd", window=10)
    books.exhausted(MAY, 10, amount=5000, currency="jpy", window=10)

    shown = command()

    assert shown.exit_code == 0
    for words in (
        "USD",
        "$19.99",
        "by a new card",
        "100.0%",
        "JPY",
        "¥5,000",
        "median 2.0",
        "windows closed (1 case)",
    ):
        assert words in shown.output
    assert "Each recovery has one cause" in shown.output


def test_an_empty_report_says_so(command: Command) -> None:
    assert command("--since", "2040-01-01").output.strip() == "No payment has failed in this period."
    assert "No payment has failed" in command("--since", "2040-01-01", "--by", "day").output


def test_json_is_sorted_and_exact(books: Books, command: Command) -> None:
    books.recovered(MAY, 2, amount=1999, currency="usd")

    shown = command("--json").output
    found = json.loads(shown)

    assert found["currencies"]["usd"]["recovered"] == {"cases": 1, "amount": 1999}
    assert shown == json.dumps(found, indent=2, sort_keys=True) + "\n"


@pytest.mark.parametrize("by", ["currency", "cohort", "day", "case"])
def test_every_view_is_there_for_people_and_as_csv_and_json(books: Books, command: Command, by: str) -> None:
    books.recovered(MAY, 2)

    assert "eur" in command("--by", by).output.lower()
    assert "eur" in {line["currency"] for line in csv.DictReader(StringIO(command("--by", by, "--csv").output))}
    assert "eur" in json.dumps(json.loads(command("--by", by, "--json").output))


def test_days_and_currency_narrow_the_report(books: Books, command: Command) -> None:
    books.case(MAY, currency="eur")
    books.case(MAY, currency="usd")

    found = json.loads(command("--json", "--currency", "USD", "--since", "2026-05-04", "--until", "2026-05-04").output)

    assert list(found["currencies"]) == ["usd"]
    assert json.loads(command("--json", "--since", "2026-05-05").output)["currencies"] == {}


def test_one_of_several_organizations_has_to_be_named(
    books: Books, make_books: Callable[[], Books], command: Command
) -> None:
    other = make_books()
    other.case(MAY, currency="gbp")
    books.case(MAY, currency="eur")

    unclear, clear = command(), command("--organization", slug_of(other), "--json")

    assert unclear.exit_code == 1
    assert slug_of(books) in unclear.output
    assert list(json.loads(clear.output)["currencies"]) == ["gbp"]


@pytest.mark.parametrize(
    "arguments",
    [("--json", "--csv"), ("--since", "2026-05-02", "--until", "2026-05-01"), ("--since", "yesterday")],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(command: Command, arguments: tuple[str, ...]) -> None:
    shown = command(*arguments)

    assert shown.exit_code == 2
    assert "Error: " in shown.output


def test_every_cause_has_words_for_people() -> None:
    assert set(module.CAUSES) == set(RecoveredBy)
