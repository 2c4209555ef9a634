"""Real PostgreSQL and Valkey for tests: one of each for the whole run, started when the first test asks for them.

A pytest plugin (`pytest_plugins = ["tests.services"]`). Every process of a parallel run shares the two servers;
databases are what keeps tests apart. A new one costs some 80 ms even from a template, so each process keeps one that it
empties (`LastingDatabase`); whoever breaks or shares a database makes one of their own (`new_database`).
"""

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

import app.models  # noqa: F401 - every table is known once it is loaded
from app import embedded
from app.db import Base, Database
from app.embedded.state import exclusively
from app.schema import upgrade
from app.settings import Settings

_HOME = "RECOUP_TEST_HOME"
_OTHERS = "datname = current_database() and usename = current_user and pid <> pg_backend_pid()"


def pytest_configure(config: pytest.Config) -> None:
    """The first process of a run chooses the home; parallel ones inherit it with the environment."""
    if _HOME in os.environ:
        return
    stack = ExitStack()
    os.environ[_HOME] = str(stack.enter_context(embedded.temporary_home()))
    stack.callback(os.environ.pop, _HOME)
    config.add_cleanup(stack.close)


@pytest.fixture(scope="session")
def services() -> embedded.Services:
    """The servers of this run. Their databases are shared: make your own with `new_database`."""
    return embedded.start(Path(os.environ[_HOME]), durable=False)


@pytest.fixture(scope="session")
def redis_url(services: embedded.Services, request: pytest.FixtureRequest) -> str:
    """A Valkey database that belongs to this test process alone."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    number = int(worker.removeprefix("gw")) + 1
    assert number < embedded.VALKEY_DATABASES
    return services.redis_url.removesuffix("/0") + f"/{number}"


@contextmanager
def new_database(services: embedded.Services, template: str = "template1") -> Iterator[str]:
    """The URL of a new database made from `template`; dropped afterwards, whoever is still connected to it."""
    name = f"test_{uuid4().hex}"
    _execute(services.database_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield url_of(services, name)
    finally:
        _drop(services, name)


def _drop(services: embedded.Services, name: str) -> None:
    """Drop a database; its owner may not end an autovacuum worker that happens to be in it, but that leaves soon."""
    for _ in range(50):
        try:
            _execute(services.database_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        except psycopg.errors.InsufficientPrivilege:
            threading.Event().wait(0.1)
        else:
            return
    _execute(services.database_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def template_database(services: embedded.Services, prepare: Callable[[str], None]) -> str:
    """The name of a template that `prepare(url)` filled, once for the whole run whichever process comes first."""
    name = "template_" + hashlib.sha256(f"{prepare.__module__}.{prepare.__qualname__}".encode()).hexdigest()[:16]
    with exclusively(_folder("templates")):
        if not _exists(services, name):
            _execute(services.database_url, f"DROP DATABASE IF EXISTS {name}_unfinished WITH (FORCE)")
            _execute(services.database_url, f"CREATE DATABASE {name}_unfinished")
            prepare(url_of(services, f"{name}_unfinished"))
            _execute(services.database_url, f"ALTER DATABASE {name}_unfinished RENAME TO {name}")
    return name


class LastingDatabase:
    """A migrated database that one test after the other finds empty, and its pools, which keep compiled statements."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pools = Database(url.replace("postgresql://", "postgresql+psycopg://"))
        tables = [table.name for table in Base.metadata.sorted_tables]
        self._empty = ";".join(f"delete from {table}" for table in reversed(tables))
        self._owner = _connect(url)
        # Row-level security binds the owner, too, who could not empty anything. The program's roles stay bound.
        self._owner.execute(";".join(f"alter table {table} no force row level security" for table in tables).encode())

    def empty(self) -> None:
        """Forget every row, also when a test ended our connection or left one of its own inside a transaction."""
        try:
            self._owner.execute(self._empty.encode())
        except psycopg.OperationalError:
            self._owner.close()
            self._owner = _connect(self.url)
            self._owner.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {_OTHERS}".encode())
            self._owner.execute(self._empty.encode())

    def close(self) -> None:
        """Leave it."""
        self.pools.dispose()
        self._owner.close()


def _connect(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, options="-c lock_timeout=2s")


@contextmanager
def lasting_database(services: embedded.Services) -> Iterator[LastingDatabase]:
    """The database of one test process, for as long as the process lasts."""
    with new_database(services, template_database(services, upgrade)) as url:
        made = LastingDatabase(url)
        yield made
        made.close()


def url_of(services: embedded.Services, database: str) -> str:
    """The URL of another database on the same server."""
    return urlunsplit(urlsplit(services.database_url)._replace(path=f"/{database}"))


def _folder(name: str) -> Path:
    folder = Path(os.environ[_HOME]) / name
    folder.mkdir(exist_ok=True)
    return folder


def _exists(services: embedded.Services, database: str) -> bool:
    with psycopg.connect(services.database_url) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        return connection.execute(query, (database,)).fetchone() is not None


def _execute(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset every variable that a setting may come from, so that a test means what it says on any machine."""
    for field in Settings.model_fields.values():
        for name in (str(field.validation_alias), f"{field.validation_alias}_FILE"):
            monkeypatch.delenv(name, raising=False)
