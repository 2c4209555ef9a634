"""The real thing to measure: embedded Postgres with fsync on, Valkey, and `recoup web` as its own process.

All of it lives in a temporary home and hears nothing of the environment: no figure is worth a row in a real database.
"""

import http.client
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from pydantic_settings import PydanticBaseSettingsSource

from app import embedded, schema
from app.cli.connect import ensure_organization
from app.context import make_context
from app.crypto import generate_key
from app.embedded.state import free_port
from app.models import Connection
from app.settings import Settings
from app.vocabulary import ConnectionMode, ConnectionStatus

SECRET = "whsec_benchmark"
_GIVEN = ("database_url", "redis_url", "home", "port", "secret_key", "encryption_keys")
_HANDED_DOWN = ("PATH", "HOME", "LANG", "LC_", "TZ", "TMP", "PYTHON", "VIRTUAL_ENV", "LD_LIBRARY")


class _Alone(Settings):
    """Settings that nobody gave: what the environment says, sense or nonsense, is meant for another installation."""

    @classmethod
    def settings_customise_sources(cls, *_classes: Any, **_sources: Any) -> tuple[PydanticBaseSettingsSource, ...]:
        return ()


@dataclass(frozen=True)
class Town:
    """A running web process, where to look its work up, and the processes whose CPU counts."""

    database_url: str
    port: int
    connection_id: UUID
    web: int
    postgres: int

    def kept(self) -> set[str]:
        """The ids of all events that are in the inbox."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute("set role recoup_sweeper")
            return {row[0] for row in connection.execute("select event_id from inbox_events")}


@contextmanager
def town() -> Iterator[Town]:
    """Postgres, Valkey and the web process, with one connected account whose webhook secret is `SECRET`."""
    with installed() as settings:
        connection_id = _connect(settings)
        web = subprocess.Popen(
            [str(Path(sys.executable).with_name("recoup")), "web"],
            env=_environment(settings),
            cwd=settings.home,
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_until_it_answers(settings.port)
            postmaster = next(settings.home.rglob("postmaster.pid"))
            url = settings.require("database_url").replace("+psycopg", "")
            yield Town(url, settings.port, connection_id, web.pid, int(postmaster.read_text().split()[0]))
        finally:
            web.terminate()
            web.wait(30)


@contextmanager
def installed() -> Iterator[Settings]:
    """Settings of an installation of our own with an empty database of the newest schema; gone afterwards."""
    with embedded.temporary_home() as home:
        services = embedded.start(home)
        settings = _Alone().model_copy(
            update={
                "database_url": services.database_url.replace("postgresql://", "postgresql+psycopg://", 1),
                "redis_url": services.redis_url,
                "home": home,
                "port": free_port(),
                "secret_key": secrets.token_urlsafe(32),
                "encryption_keys": generate_key("bench"),
            }
        )
        schema.upgrade(settings.require("database_url"))
        yield settings


def _environment(settings: Settings) -> dict[str, str]:
    """Of the real environment only what a program needs to run at all."""
    handed_down = {name: value for name, value in os.environ.items() if name.startswith(_HANDED_DOWN)}
    fields = type(settings).model_fields
    return handed_down | {str(fields[name].validation_alias): str(getattr(settings, name)) for name in _GIVEN}


def _connect(settings: Settings) -> UUID:
    context = make_context(settings)
    organization = ensure_organization(context, "bench")
    with context.database.organization(organization.id) as session:
        row = Connection(
            id=uuid4(),
            organization_id=organization.id,
            account_id="acct_bench",
            livemode=False,
            mode=ConnectionMode.OBSERVE,
            status=ConnectionStatus.ACTIVE,
            created_at=context.clock.now(),
        )
        row.sealed_api_key = context.keys.seal("rk_test_bench", row.context("api_key"))
        row.sealed_webhook_secrets = context.keys.seal(json.dumps([SECRET]), row.context("webhook_secrets"))
        session.add(row)
    context.database.dispose()
    return row.id


def _wait_until_it_answers(port: int) -> None:
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the web process does not answer")
