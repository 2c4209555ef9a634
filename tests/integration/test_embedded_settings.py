"""What a home adds to the settings: secrets made once, the running services, and how `up` was last started."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import embedded, installation
from app.crypto import KeyRing
from app.settings import Settings
from tests.services import clean_environment


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with embedded.temporary_home() as folder:
        clean_environment(monkeypatch)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("RECOUP_HOME", str(folder))
        yield folder


def test_secrets_are_made_once_for_our_eyes_only_and_the_environment_wins(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.make_secrets(Settings())
    first = installation.with_kept_secrets(Settings())
    installation.make_secrets(Settings())
    assert installation.with_kept_secrets(Settings()) == first
    assert first.encryption_keys
    ring = KeyRing.parse(first.encryption_keys)
    assert ring.newest == "local"
    assert len(first.require("secret_key")) >= 48
    assert {file.stat().st_mode & 0o777 for file in (home / "secrets").iterdir()} == {0o600}
    monkeypatch.setenv("RECOUP_SECRET_KEY", "given")
    assert installation.with_kept_secrets(Settings()).secret_key == "given"


def test_a_second_terminal_finds_what_runs_without_being_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as first_terminal:
        first_terminal.setenv("RECOUP_SANDBOX", "1")
        first_terminal.setenv("PORT", "9123")
        started = Settings()
        installation.make_secrets(started)
        installation.remember(started)
    assert installation.complete(Settings()).database_url is None
    services = embedded.start(home, durable=False)
    found = installation.complete(Settings())
    assert (found.sandbox, found.port, found.stripe_api_base) == (True, 9123, "http://127.0.0.1:8010")
    assert found.database_url == services.database_url.replace("postgresql:", "postgresql+psycopg:")
    assert found.redis_url == services.redis_url
    assert found.secret_key
    monkeypatch.setenv("PORT", "9200")
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/recoup")
    chosen = installation.complete(Settings())
    assert (chosen.port, chosen.database_url) == (9200, "postgresql+psycopg://elsewhere/recoup")


def test_a_child_process_reads_the_same_settings_from_its_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOUP_SANDBOX", "yes")
    given = Settings()
    installation.make_secrets(given)
    completed = installation.with_sandbox(installation.with_kept_secrets(given)).model_copy(
        update={"database_url": "postgresql+psycopg://recoup@127.0.0.1:1/recoup", "redis_url": "redis://127.0.0.1:1/0"}
    )
    for name, value in installation.environment(given, completed).items():
        monkeypatch.setenv(name, value)
    assert Settings() == completed
