"""The sandbox's memory: JSON documents in one SQLite file, with the few columns that are searched.

It knows no meaning of any document. One writer at a time: every transaction holds one lock, so a request sees and
leaves a consistent world. WAL with `synchronous=NORMAL` keeps every committed transaction when the process is killed
(the operating system has the pages); only a power cut could take the last ones, which a sandbox may lose.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

Doc = dict[str, Any]

# The log is copied into the file after so many pages of 4 kB. The default, a tenth of this, copies the same pages over
# and over while time is turned.
_PAGES_BEFORE_CHECKPOINT = 10_000

LINKS = ("customer", "subscription", "invoice", "payment_intent", "status")

_SCHEMA = """
create table if not exists objects (
    seq integer primary key, kind text not null, id text not null, created integer not null,
    customer text, subscription text, invoice text, payment_intent text, status text,
    body blob not null, unique (kind, id));
create index if not exists objects_newest on objects (kind, created, seq);
create index if not exists objects_customer on objects (kind, customer, created, seq) where customer is not null;
create index if not exists objects_subscription on objects (kind, subscription, created, seq)
    where subscription is not null;
create index if not exists objects_invoice on objects (kind, invoice, created, seq) where invoice is not null;
create index if not exists objects_payment_intent on objects (kind, payment_intent, created, seq)
    where payment_intent is not null;
create index if not exists objects_status on objects (kind, status, created, seq) where status is not null;
create table if not exists timers (
    kind text not null, id text not null, due integer not null, clock text, primary key (kind, id));
create table if not exists deliveries (
    seq integer primary key, event text not null, endpoint text not null, attempts integer not null default 0,
    due integer not null, state text not null default 'pending', first_due integer not null);
create index if not exists deliveries_due on deliveries (state, due, seq);
create index if not exists deliveries_event on deliveries (event);
create table if not exists answers (
    key text primary key, fingerprint text not null, status integer not null, body blob not null,
    request_id text not null, first_used integer not null);
"""

# Columns that files of an earlier version lack, and what needs them.
_ADDED = {"timers": {"clock": "text"}}
_SCHEMA_AFTER = """
drop index if exists timers_due;
create index if not exists timers_clock_due on timers (clock, due);
"""


@dataclass(frozen=True)
class Search:
    """What to list: equal columns, a range of `created`, extra SQL, and the page."""

    equal: dict[str, str] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)
    extra: str = ""
    extra_values: tuple[Any, ...] = ()
    limit: int = 10
    after: str | None = None
    before: str | None = None


# The most selective first. Without statistics SQLite may as well walk every paid invoice to find one customer's.
_SELECTIVE = ("invoice", "payment_intent", "subscription", "customer", "status")

_RANGES = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


class Store:
    """The file `path`, opened once by the one process that serves this sandbox."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=normal")
        self._db.execute(f"pragma wal_autocheckpoint={_PAGES_BEFORE_CHECKPOINT}")
        self._db.executescript(_SCHEMA)
        self._add_columns()
        self._db.executescript(_SCHEMA_AFTER)

    def _add_columns(self) -> None:
        for table, columns in _ADDED.items():
            known = {row[1] for row in self._db.execute(f"pragma table_info({table})")}
            for column, kind in columns.items():
                if column not in known:
                    self._db.execute(f"alter table {table} add column {column} {kind}")

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock and one transaction; committed at the end, rolled back on an exception."""
        with self._lock:
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """One statement inside the current transaction."""
        return self._db.execute(sql, values)

    def fetch(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of one query; takes the lock by itself, so it may be used outside a transaction."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def find(self, kind: str, identifier: str) -> Doc | None:
        """One document, or None."""
        rows = self.fetch("select body from objects where kind = ? and id = ?", kind, identifier)
        return orjson.loads(rows[0][0]) if rows else None

    def put(self, kind: str, doc: Doc, created: int, links: dict[str, str | None]) -> None:
        """Insert or replace one document together with its searchable columns; its place in lists never changes."""
        self.execute(
            "insert into objects (kind, id, created, customer, subscription, invoice, payment_intent, status, body)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (kind, id) do update set customer = excluded.customer,"
            " subscription = excluded.subscription, invoice = excluded.invoice,"
            " payment_intent = excluded.payment_intent, status = excluded.status, body = excluded.body",
            kind,
            doc["id"],
            created,
            *(links.get(name) for name in LINKS),
            orjson.dumps(doc),
        )

    def remove(self, kind: str, identifier: str) -> None:
        """Forget one document."""
        self.execute("delete from objects where kind = ? and id = ?", kind, identifier)

    def ids_linked(self, kind: str, column: str, value: str, status: str | None = None) -> list[str]:
        """The ids of every document of `kind` whose `column` (one of `LINKS`) is `value`, oldest first."""
        sql = f"select id from objects indexed by objects_{column} where kind = ? and {column} = ?"  # noqa: S608
        if status is None:
            return [row[0] for row in self.fetch(f"{sql} order by created, seq", kind, value)]
        return [row[0] for row in self.fetch(f"{sql} and status = ? order by created, seq", kind, value, status)]

    def search(self, kind: str, search: Search) -> tuple[list[Doc], bool]:
        """One page, newest first, and whether there is more behind it in the direction asked."""
        clauses: list[str] = ["kind = ?"]
        values: list[Any] = [kind]
        for column, value in search.equal.items():
            clauses.append(f"{column} = ?")
            values.append(value)
        for name, moment in search.created.items():
            clauses.append(f"created {_RANGES[name]} ?")
            values.append(moment)
        backwards = search.before is not None
        anchor = search.before or search.after
        if anchor is not None:
            side = ">" if backwards else "<"
            clauses.append(f"(created, seq) {side} (select created, seq from objects where kind = ? and id = ?)")  # noqa: S608
            values += [kind, anchor]
        if search.extra:
            clauses.append(search.extra)
        direction = "asc" if backwards else "desc"
        rows = self.fetch(
            f"select body from objects indexed by {_index_for(search)}"  # noqa: S608 - only our own column names
            f" where {' and '.join(clauses)}"
            f" order by created {direction}, seq {direction} limit ?",
            *values,
            *search.extra_values,
            search.limit + 1,
        )
        docs = [orjson.loads(body) for (body,) in rows[: search.limit]]
        return (docs[::-1] if backwards else docs), len(rows) > search.limit


def _index_for(search: Search) -> str:
    column = next((name for name in _SELECTIVE if name in search.equal), "newest")
    return f"objects_{column}"
