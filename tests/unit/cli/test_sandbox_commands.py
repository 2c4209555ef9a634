"""`recoup sandbox` and `recoup migrate` where nothing runs: what is wrong is said in a sentence, without a trace."""

from datetime import timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.cli.turning import parse_span

CONFIGURED = {"RECOUP_SECRET_KEY": "s", "RECOUP_ENCRYPTION_KEYS": "", "DATABASE_URL": "", "REDIS_URL": ""}


@pytest.fixture
def recoup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECOUP_HOME", str(tmp_path / "home"))
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value)
    return lambda *words: CliRunner().invoke(main, words)


def is_a_sentence(result: Result) -> bool:
    return result.exit_code in (1, 2) and "Traceback" not in result.output and isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("90m", timedelta(minutes=90)),
        ("1.5h", timedelta(hours=1.5)),
        (" 3D ", timedelta(days=3)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_a_span_is_read_as_people_write_it(span: str, expected: timedelta) -> None:
    assert parse_span(span) == expected


@pytest.mark.parametrize("span", ["", "3", "3 months", "-2d", "99999999999999999999w", "11000d"])
def test_what_is_no_span_or_too_long_a_one_is_refused_as_a_usage_error(span: str) -> None:
    with pytest.raises(click.UsageError):
        parse_span(span)


@pytest.mark.parametrize(
    "words",
    [
        ("sandbox", "advance", "3d"),
        ("sandbox", "advance", "soon"),
        ("sandbox", "customers"),
        ("sandbox", "customer", "--amount", "0"),
        ("sandbox", "customer", "--timezone", "Mars/Olympus"),
        ("sandbox", "fail", "--customer", "cus_1"),
        ("sandbox", "outage", "--minutes", "-5"),
        ("sandbox", "outage", "--end"),
        ("sandbox", "fault", "add", "lost_webhook"),
        ("sandbox", "fault", "add", "slow", "--rate", "0"),
        ("sandbox", "fault", "list"),
        ("sandbox", "fault", "clear"),
        ("sandbox", "story"),
        ("sandbox", "story", "lost-card"),
        ("sandbox", "population", "--behaviour", "us_consumer=much"),
    ],
)
def test_commands_without_an_installation_answer_with_a_sentence(recoup: object, words: tuple[str, ...]) -> None:
    result = recoup(*words)  # type: ignore[operator]
    assert is_a_sentence(result), result.output


def test_migrate_says_what_to_do_where_there_is_no_database(recoup: object) -> None:
    result = recoup("migrate")  # type: ignore[operator]
    assert is_a_sentence(result)
    assert "set DATABASE_URL" in result.output
    assert "recoup up" in result.output
