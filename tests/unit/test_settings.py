"""Settings: from the environment, from files that hold secrets, and never silently wrong."""

from pathlib import Path

import pytest

from app.settings import Settings, SettingsIncomplete, SettingsInvalid
from tests.services import clean_environment


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clean_environment(monkeypatch)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_postgres_address_a_platform_hands_out_can_be_used(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://user:word@db/recoup")
    assert Settings().database_url == "postgresql+psycopg://user:word@db/recoup"


def test_a_secret_may_come_from_a_file_without_its_line_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    monkeypatch.setenv("RECOUP_SECRET_KEY_FILE", str(tmp_path / "key"))
    assert Settings().secret_key == "from a file"


def test_the_variable_itself_goes_before_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file")
    monkeypatch.setenv("RECOUP_SECRET_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("RECOUP_SECRET_KEY", "from the environment")
    assert Settings().secret_key == "from the environment"


def test_every_setting_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "port").write_text("8123")
    for field in Settings.model_fields.values():
        assert str(field.validation_alias).isupper()
    monkeypatch.setenv("PORT_FILE", str(tmp_path / "port"))
    assert Settings().port == 8123


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECOUP_SECRET_KEY_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(SettingsIncomplete, match=r"RECOUP_SECRET_KEY_FILE names .*nowhere"):
        Settings()


def test_what_is_missing_is_named_with_both_ways_to_give_it() -> None:
    with pytest.raises(SettingsIncomplete, match=r"DATABASE_URL is not set.*DATABASE_URL_FILE"):
        Settings().require("database_url")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "70000"),
        ("PORT", "web"),
        ("RECOUP_SANDBOX", "secretive"),
        ("DATABASE_URL", "mysql://owner:secretive@db/recoup"),
        ("DATABASE_URL", "postgresql://owner:secretive@db:port/recoup"),
        ("DATABASE_URL", "postgresql://"),
        ("REDIS_URL", "secretive"),
        ("REDIS_URL", "redis://:secretive@cache:port/0"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_at_the_start_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid, match=name) as refused:
        Settings()
    assert "secretive" not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://db/recoup",
        "postgresql://db:5432/recoup",
        "postgresql://a:b/c:d@db:5432/recoup",
        "postgresql://[::1]/recoup",
        "postgresql:///recoup?host=/run/postgresql",
        "postgresql://db/recoup?options=-csearch_path%3Da:b@c",
    ],
)
def test_every_form_of_a_database_address_is_taken(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DATABASE_URL", value)
    assert Settings().database_url == value.replace("postgresql:", "postgresql+psycopg:")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "")
    assert (Settings().database_url, Settings().redis_url) == (None, None)


def test_the_address_for_people_has_no_slash_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().base_url() == "http://127.0.0.1:8000"
    monkeypatch.setenv("RECOUP_PUBLIC_URL", "https://billing.example.com/")
    assert Settings().base_url() == "https://billing.example.com"


def test_the_home_is_the_same_folder_wherever_a_process_changes_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RECOUP_HOME", "state")
    assert Settings().home == tmp_path / "state"
    monkeypatch.setenv("RECOUP_HOME", "~/recoup")
    assert Settings().home == Path("~/recoup").expanduser()
