"""Every setting there is, read once from the environment. `NAME` may also come from a file named by `NAME_FILE`."""

import os
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.errors import RecoupError


class SettingsIncomplete(RecoupError):
    """A setting that this process needs is missing; the text names it and says how to give it."""


class SettingsInvalid(RecoupError):
    """A setting has a value that it cannot have; the text names it and never shows the value, which may be a secret."""


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads `NAME_FILE` for a field whose variable is `NAME` (as container secrets are handed over)."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = str(field.validation_alias or field_name).upper()
        path = os.environ.get(f"{name}_FILE")
        if not path:
            return None, name, False
        try:
            return Path(path).read_text().strip(), name, False
        except OSError as problem:
            raise SettingsIncomplete(f"{name}_FILE names {path}, which cannot be read: {problem}") from problem

    def __call__(self) -> dict[str, Any]:
        values = {}
        for field_name, field in self.settings_cls.model_fields.items():
            value, name, _ = self.get_field_value(field, field_name)
            if value is not None:
                values[name] = value
        return values


class Settings(BaseSettings):
    """The environment, typed. An unset `DATABASE_URL` or `REDIS_URL` means the embedded service under `RECOUP_HOME`."""

    # Code names a setting by its field; the environment must not: `HOME` or a stranger's `SECRET_KEY` is none of ours.
    # The prefix is what a field's own name would need there, so that only the aliases below are read.
    model_config = SettingsConfigDict(
        extra="ignore", populate_by_name=True, env_file=".env", env_prefix="RECOUP_FIELD_NAMES_ARE_NOT_READ_"
    )

    database_url: str | None = Field(None, validation_alias="DATABASE_URL")
    redis_url: str | None = Field(None, validation_alias="REDIS_URL")
    home: Path = Field(Path(".recoup"), validation_alias="RECOUP_HOME")
    port: int = Field(8000, ge=1, le=65535, validation_alias="PORT")
    public_url: str | None = Field(None, validation_alias="RECOUP_PUBLIC_URL")
    secret_key: str | None = Field(None, validation_alias="RECOUP_SECRET_KEY")
    encryption_keys: str | None = Field(None, validation_alias="RECOUP_ENCRYPTION_KEYS")
    stripe_api_base: str | None = Field(None, validation_alias="STRIPE_API_BASE")
    sendgrid_api_key: str | None = Field(None, validation_alias="SENDGRID_API_KEY")
    sendgrid_api_base: str = Field("https://api.sendgrid.com", validation_alias="SENDGRID_API_BASE")
    sendgrid_webhook_key: str | None = Field(None, validation_alias="SENDGRID_WEBHOOK_KEY")
    smtp_url: str | None = Field(None, validation_alias="SMTP_URL")
    mail_from: str = Field("billing@localhost.localdomain", validation_alias="RECOUP_MAIL_FROM")
    dkim_selectors: str = Field("", validation_alias="RECOUP_DKIM_SELECTORS")
    resend_unknown_after_minutes: int = Field(30, ge=1, validation_alias="RECOUP_RESEND_UNKNOWN_MINUTES")
    trusted_proxies: int = Field(0, ge=0, validation_alias="RECOUP_TRUSTED_PROXIES")
    sandbox: bool = Field(False, validation_alias="RECOUP_SANDBOX")
    sandbox_port: int = Field(8010, ge=1, le=65535, validation_alias="RECOUP_SANDBOX_PORT")
    web_workers: int = Field(2, ge=1, validation_alias="RECOUP_WEB_WORKERS")
    worker_processes: int = Field(2, ge=1, validation_alias="RECOUP_WORKER_PROCESSES")

    def __init__(self, **given: Any) -> None:
        """Read the environment; raises `SettingsInvalid`, and `SettingsIncomplete` for a file that cannot be read."""
        try:
            super().__init__(**given)
        except ValidationError as problem:
            told = (
                f"{'.'.join(map(str, error['loc']))}: {error['msg'].removeprefix('Value error, ')}"
                for error in problem.errors()
            )
            raise SettingsInvalid("; ".join(told)) from None

    @field_validator("database_url")
    @classmethod
    def _psycopg_scheme(cls, value: str | None) -> str | None:
        """Platforms hand out `postgres://`; SQLAlchemy wants its driver named."""
        if not value:
            return None
        scheme, _, rest = value.partition("://")
        if scheme not in ("postgres", "postgresql", "postgresql+psycopg") or not _has_port_or_none(rest):
            raise ValueError("write it like postgresql://user:password@host:5432/name")
        return f"postgresql+psycopg://{rest}"

    @field_validator("redis_url")
    @classmethod
    def _redis_scheme(cls, value: str | None) -> str | None:
        scheme, _, rest = (value or "").partition("://")
        if value and (scheme not in ("redis", "rediss") or not _has_port_or_none(rest)):
            raise ValueError("write it like redis://host:6379/0 (or rediss://, over TLS)")
        return value or None

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SecretFiles(settings_cls), dotenv_settings

    def base_url(self) -> str:
        """Where people and Stripe reach this Recoup, without a slash at the end."""
        return (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")

    def require(self, field: str) -> str:
        """The value of a text setting, or `SettingsIncomplete` naming its variable."""
        value = getattr(self, field)
        if not value:
            name = type(self).model_fields[field].validation_alias
            raise SettingsIncomplete(f"{name} is not set; give it in the environment or name a file in {name}_FILE")
        return str(value)


def _has_port_or_none(address: str) -> bool:
    """Whether there is something in `user:password@host:port/name`, and its port, if it has one, is a number."""
    place = address.partition("?")[0].rpartition("@")[2].partition("/")[0]
    _, colon, port = place.rpartition(":")
    return bool(address) and (not colon or port.isdigit() or place.endswith("]"))
