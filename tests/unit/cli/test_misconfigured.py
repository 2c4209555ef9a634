"""Commands where settings are missing or wrong, or an argument is out of range: a sentence that says what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.crypto import generate_key
from tests.services import clean_environment

Recoup = Callable[..., Result]
NEEDED = ("DATABASE_URL", "REDIS_URL", "RECOUP_SECRET_KEY", "RECOUP_ENCRYPTION_KEYS")


@pytest.fixture
def recoup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recoup:
    clean_environment(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return lambda *words, **variables: CliRunner().invoke(main, words, env=variables)


def said(result: Result) -> str:
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (1, 2)
    return " ".join(result.output.split())


@pytest.mark.parametrize(
    "words",
    [("report",), ("sandbox", "customer"), ("verify",), ("inbox", "parked"), ("web",), ("worker",), ("clock",)],
    ids=" ".join,
)
def test_where_nothing_runs_it_is_said_how_to_start_it_and_what_can_be_set_instead(
    recoup: Recoup, tmp_path: Path, words: tuple[str, ...]
) -> None:
    told = said(recoup(*words))
    assert f"Recoup is not running here ({tmp_path / '.recoup'}). Start it with `make run`" in told
    for name in NEEDED:
        assert name in told


def test_what_is_missing_beside_a_database_is_named_all_at_once(recoup: Recoup) -> None:
    told = said(recoup("report", DATABASE_URL="postgresql://db/recoup", RECOUP_SECRET_KEY="s"))
    assert "not set: REDIS_URL, RECOUP_ENCRYPTION_KEYS." in told


def test_the_doctor_names_everything_that_is_missing_and_goes_on(recoup: Recoup) -> None:
    told = said(recoup("doctor", SMTP_URL="nonsense"))
    for name in (*NEEDED, "Public address", "Mail"):
        assert f"look {name}:" in told
    assert "leaves through" not in told


def test_the_doctor_names_a_key_ring_that_cannot_be_used(recoup: Recoup) -> None:
    needed = dict.fromkeys(NEEDED, "redis://127.0.0.1:1/0") | {"DATABASE_URL": "postgresql://127.0.0.1:1/recoup"}
    told = said(recoup("doctor", **needed))
    assert "look RECOUP_ENCRYPTION_KEYS:" in told


def test_the_doctor_looks_at_what_it_can_where_the_services_are_away(recoup: Recoup) -> None:
    away = {"DATABASE_URL": "postgresql://127.0.0.1:1/recoup", "REDIS_URL": "redis://127.0.0.1:1/0"}
    secrets = {"RECOUP_SECRET_KEY": "s", "RECOUP_ENCRYPTION_KEYS": generate_key("tests")}
    told = said(recoup("doctor", **away, **secrets))
    assert "look Redis: is away" in told
    assert "look Postgres: cannot be reached" in told


@pytest.mark.parametrize(("proxies", "mark"), [("0", "look"), ("1", "ok")])
def test_the_doctor_says_when_a_proxy_hides_where_visitors_come_from(recoup: Recoup, proxies: str, mark: str) -> None:
    told = said(recoup("doctor", RECOUP_PUBLIC_URL="https://recoup.example", RECOUP_TRUSTED_PROXIES=proxies))
    assert f"{mark} Proxies:" in told


@pytest.mark.parametrize("command", ["report", "up", "doctor"])
def test_a_setting_that_makes_no_sense_is_a_sentence_in_every_command(recoup: Recoup, command: str) -> None:
    assert "Error: PORT: Input should be a valid integer" in said(recoup(command, PORT="web"))


@pytest.mark.parametrize("row_id", ["0", "-1", "99999999999999999999", "x"])
def test_no_event_has_such_a_number(recoup: Recoup, row_id: str) -> None:
    assert "Invalid value for 'ROW_ID'" in said(recoup("inbox", "replay", "--", row_id))


@pytest.mark.parametrize("key_id", ["", "a:b"])
def test_a_key_gets_no_name_that_could_not_be_read_again(recoup: Recoup, key_id: str) -> None:
    assert "cannot name a key" in said(recoup("keys", "generate", key_id))
