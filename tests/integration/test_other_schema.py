"""Commands on a database that is empty or of another version: a sentence instead of the database's own words."""

import pytest
from click.testing import CliRunner

from app import embedded
from app.cli import main
from app.crypto import generate_key
from tests.services import clean_environment, new_database

CREATE = ("users", "create", "--email", "ann@acme.example", "--organization", "acme")


@pytest.mark.parametrize("words", [("report",), CREATE])
def test_an_empty_database_is_to_be_migrated(
    services: embedded.Services, monkeypatch: pytest.MonkeyPatch, tmp_path: object, words: tuple[str, ...]
) -> None:
    clean_environment(monkeypatch)
    monkeypatch.chdir(str(tmp_path))
    with new_database(services) as url:
        given = {"DATABASE_URL": url, "REDIS_URL": services.redis_url, "RECOUP_SECRET_KEY": "s"}
        result = CliRunner().invoke(main, words, env=given | {"RECOUP_ENCRYPTION_KEYS": generate_key("tests")})
    assert isinstance(result.exception, SystemExit), result.exception
    assert "run `recoup migrate`" in result.output
