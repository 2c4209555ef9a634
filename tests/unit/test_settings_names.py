"""Only the documented variables configure Recoup; a platform's own HOME or SECRET_KEY does not."""

from pathlib import Path

import pytest

from app.settings import Settings


def test_variables_that_only_look_like_a_fields_name_are_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "SECRET_KEY", "SANDBOX", "MAIL_FROM", "PUBLIC_URL", "ENCRYPTION_KEYS"):
        monkeypatch.setenv(name, "/elsewhere")
    for name in ("RECOUP_HOME", "RECOUP_SECRET_KEY", "RECOUP_SANDBOX", "RECOUP_MAIL_FROM", "RECOUP_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(_env_file=None)
    assert settings.home == tmp_path / ".recoup"
    assert (settings.secret_key, settings.sandbox, settings.public_url) == (None, False, None)


def test_the_documented_variables_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECOUP_HOME", str(tmp_path / "here"))
    monkeypatch.setenv("RECOUP_SECRET_KEY", "ours")
    monkeypatch.setenv("PORT", "8123")
    settings = Settings(_env_file=None)
    assert (settings.home, settings.secret_key, settings.port) == (tmp_path / "here", "ours", 8123)


def test_code_may_name_a_setting_by_its_field(tmp_path: Path) -> None:
    assert Settings(_env_file=None, home=tmp_path, secret_key="given").home == tmp_path
