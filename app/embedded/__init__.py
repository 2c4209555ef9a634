"""A real PostgreSQL and a real Valkey inside a folder, behind the same two URLs as hosted ones.

This is for a machine on which nothing is installed but Python. It knows no table, no queue and no setting: a home goes
in, two URLs come out. The services outlive the process that started them and are shared by every process of the home.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.embedded import abandoned
from app.embedded.account import account_for, let_through
from app.embedded.errors import DataUnusable
from app.embedded.postgres import Postgres
from app.embedded.state import State, exclusively, find_state, free_port
from app.embedded.valkey import DATABASES as VALKEY_DATABASES
from app.embedded.valkey import Valkey

__all__ = [
    "VALKEY_DATABASES",
    "Services",
    "are_alive",
    "running",
    "start",
    "stop",
    "temporary_home",
    "temporary_services",
]


@dataclass(frozen=True)
class Services:
    """Where to connect: `postgresql://…` as an owner who is no superuser, and `redis://…/0`."""

    database_url: str
    redis_url: str


def start(home: Path, *, postgres: bool = True, valkey: bool = True, durable: bool = True) -> Services:
    """Start what does not run yet under `home`, or find it running; both are ready when this returns.

    Any number of processes may call this at once. Ports stay as they were at the last start unless a stranger has taken
    one. `postgres=False` or `valkey=False` leaves that one out (its URL is then of no use). `durable=False` turns fsync
    off, for tests. Raises a `RecoupError` of `app.embedded.errors` whose text says what to do.
    """
    home = _prepared(home)
    with exclusively(home):
        account = account_for(home / "postgres")
        if account:
            let_through(account, home / "logs")
        known = find_state(home)
        state = known or State(free_port(), free_port())
        if known is None:
            # Whatever runs here knows passwords that we do not.
            _stop(home)
            state.save(home)
        if postgres:
            server = Postgres(home, account, durable)
            port = server.ensure(state.postgres_port, state.postgres_password, password_is_new=known is None)
            state = _remember(home, state, replace(state, postgres_port=port))
        if valkey:
            port = Valkey(home, account).ensure(state.valkey_port, state.valkey_password)
            state = _remember(home, state, replace(state, valkey_port=port))
        return _services(home, state)


def stop(home: Path) -> None:
    """Stop whatever runs under `home`, in order; open transactions are rolled back, the rest is on disk."""
    home = home.resolve()
    if not home.is_dir():
        return
    with exclusively(home):
        _stop(home)


def running(home: Path) -> Services | None:
    """The services of `home` if both take connections at this moment; starts nothing and waits for nobody."""
    home = home.resolve()
    state = find_state(home)
    if state is None or not Postgres(home).is_ready(state.postgres_port):
        return None
    return _services(home, state) if Valkey(home).is_ready(state.valkey_port, state.valkey_password) else None


def are_alive(home: Path, *, postgres: bool = True, valkey: bool = True) -> bool:
    """Whether the main processes exist: cheap enough to be asked every second. Says nothing about their health."""
    home = home.resolve()
    return (not postgres or Postgres(home).is_alive()) and (not valkey or Valkey(home).is_alive())


@contextmanager
def temporary_home() -> Iterator[Path]:
    """An empty home, for tests: stopped and removed afterwards. Clears away what killed runs left."""
    for home in abandoned.folders():
        _remove(home)
    home = Path(tempfile.mkdtemp(prefix=abandoned.prefix()))
    try:
        yield home
    finally:
        _remove(home)


@contextmanager
def temporary_services(*, durable: bool = False) -> Iterator[Services]:
    """Services in a temporary home."""
    with temporary_home() as home:
        yield start(home, durable=durable)


def _remove(home: Path) -> None:
    stop(home)
    shutil.rmtree(home, ignore_errors=True)


def _prepared(home: Path) -> Path:
    """`home` as an absolute path, existing and closed to others."""
    home = home.resolve()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "logs").mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:
        raise DataUnusable(f"{home} cannot be made ({problem}); choose another RECOUP_HOME") from problem
    return home


def _stop(home: Path) -> None:
    Valkey(home).stop()
    Postgres(home).stop()


def _remember(home: Path, before: State, after: State) -> State:
    if after != before:
        after.save(home)
    return after


def _services(home: Path, state: State) -> Services:
    return Services(
        Postgres(home).url(state.postgres_port, state.postgres_password),
        Valkey(home).url(state.valkey_port, state.valkey_password),
    )
