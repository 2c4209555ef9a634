"""Private database schemas: made for one process of one rehearsal, dropped at its end, and found again after a crash.

They live in the organization's own database, and their connections see nothing but them: the search path names the
schema alone. Knows no table.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import ProgrammingError

from app.errors import RecoupError
from app.schema import upgrade

_NAME = re.compile(r"^rehearsal_(\d{10})_[0-9a-f]{8}$")
STALE_AFTER = timedelta(hours=1)
NOBODY_PLAYS_SO_LONG = timedelta(days=1)  # a pooler may keep the lock of a process that died
_INSUFFICIENT_PRIVILEGE = "42501"


class NoRoom(RecoupError):
    """The database gives no schema to rehearse in; the text says what to grant."""


@contextmanager
def open_room(database_url: str, wall: datetime) -> Iterator[str]:
    """A migrated schema of its own; the URL of a database in which nothing else can be seen. Raises `NoRoom`.

    `wall` is the machine's time. Rooms that a crash left behind more than an hour ago are dropped on the way; one in
    which somebody still plays stays, however long that takes.
    """
    name = f"rehearsal_{int(wall.timestamp()):010d}_{token_hex(4)}"
    with _owner(database_url) as connection:
        _drop_stale(connection, wall)
        _create(connection, name)
    with _owner(database_url) as inhabitant:
        inhabitant.execute(text("select pg_advisory_lock(hashtextextended(:name, 0))"), {"name": name})
        try:
            url = inside(database_url, name)
            upgrade(url)
            yield url
        finally:
            with _owner(database_url) as connection:
                _drop(connection, name)


def inside(database_url: str, name: str) -> str:
    """`database_url` for connections that see the schema `name` alone. What is in it need not outlive a power cut."""
    url = make_url(database_url)
    options = f"{url.query.get('options', '')} -c search_path={name} -c synchronous_commit=off".strip()
    return url.update_query_dict({"options": options}).render_as_string(hide_password=False)


def rooms(database_url: str) -> list[str]:
    """The names of all rooms that stand at present."""
    with _owner(database_url) as connection:
        return _standing(connection)


@contextmanager
def _owner(database_url: str) -> Iterator[Connection]:
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _create(connection: Connection, name: str) -> None:
    try:
        connection.execute(text(f"create schema {name}"))
    except ProgrammingError as problem:
        if getattr(problem.orig, "sqlstate", None) != _INSUFFICIENT_PRIVILEGE:
            raise
        database, user = connection.execute(text("select current_database(), current_user")).one()
        raise NoRoom(
            f"a rehearsal needs a schema of its own, and {user} may not make one; let a database administrator run:"
            f' grant create on database "{database}" to "{user}"'
        ) from problem


def _drop_stale(connection: Connection, wall: datetime) -> None:
    for name in _standing(connection):
        found = _NAME.match(name)
        if found is None or int(found[1]) >= (wall - STALE_AFTER).timestamp():
            continue
        if int(found[1]) < (wall - NOBODY_PLAYS_SO_LONG).timestamp() or not _is_inhabited(connection, name):
            _drop(connection, name)


def _is_inhabited(connection: Connection, name: str) -> bool:
    """Whether the process that made a room is connected yet; its lock ends with its connection."""
    lock = text("select pg_try_advisory_lock(hashtextextended(:name, 0))")
    is_mine = connection.scalar(lock, {"name": name})
    if is_mine:
        connection.execute(text("select pg_advisory_unlock(hashtextextended(:name, 0))"), {"name": name})
    return not is_mine


def _standing(connection: Connection) -> list[str]:
    known = connection.scalars(text("select nspname::text from pg_namespace where nspname like 'rehearsal%'"))
    return sorted(name for name in known if _NAME.match(name))


def _drop(connection: Connection, name: str) -> None:
    """Drop it whoever is still connected to it: locks are waited for, but not for ever."""
    connection.execute(text("set lock_timeout = '20s'"))
    connection.execute(text(f"drop schema if exists {name} cascade"))
