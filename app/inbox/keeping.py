"""How an event gets into the inbox: those that arrive while one statement runs share the next one, and one commit.

Knows rows and commits. It refuses to know HTTP, signatures and what an event says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition
from uuid import UUID

import orjson
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from app.db import Database
from app.errors import RecoupError

# One prepared statement for any number of rows. The columns come as JSON, the bodies beside it as what they are.
# In the order of the unique key, or two processes that were sent the same events would wait for each other.
INSERT = """
insert into inbox_events (organization_id, connection_id, event_id, kind, type, api_version, account, object_type,
    object_id, created_at, received_at, body, state, tries, next_try_at)
select organization_id, connection_id, event_id, kind, type, api_version, account, object_type,
    object_id, created_at, received_at, (%(bodies)b::bytea[])[number], 'received', 0, received_at
from rows from (json_to_recordset(%(rows)s::json) as (organization_id uuid, connection_id uuid, event_id text,
    kind text, type text, api_version text, account text, object_type text, object_id text,
    created_at timestamptz, received_at timestamptz)) with ordinality as event (organization_id, connection_id,
    event_id, kind, type, api_version, account, object_type, object_id, created_at, received_at, number)
order by connection_id, event_id
on conflict (connection_id, event_id) do nothing
"""


class NotKept(RecoupError):
    """The event is not in the inbox, for a reason that is not its own; whoever sent it should send it again."""


@dataclass(eq=False)
class Row:
    """One event on its way in: its columns but the body, as JSON, and the body as it is stored."""

    columns: bytes
    body: bytes
    is_settled: bool = False
    problem: Exception | None = None


class Keeper:
    """The way into the inbox for all threads of a process. `after_commit` is called once for each commit."""

    def __init__(self, database: Database, after_commit: Callable[[], object]) -> None:
        self._database = database
        self._after_commit = after_commit
        self._change = Condition()
        self._waiting: list[Row] = []
        self._is_writing = False

    def keep(self, row: Row) -> None:
        """Return once `row`, or an earlier one of the same event, is committed; raises `NotKept`.

        The thread that finds nobody writing writes for all who wait; the others wait for the one that does.
        """
        with self._change:
            self._waiting.append(row)
            while self._is_writing and not row.is_settled:
                self._change.wait()
            batch = [] if row.is_settled else self._begin()
        if batch:
            self._settle(batch)
        if row.problem:
            raise NotKept(type(row.problem).__name__) from row.problem

    def _begin(self) -> list[Row]:
        self._is_writing = True
        batch, self._waiting = self._waiting, []
        return batch

    def _settle(self, batch: Sequence[Row]) -> None:
        for row in batch:
            row.problem = NotKept("the process is ending")  # until it is known that it was kept
        try:
            self._write(batch)
        finally:
            with self._change:
                self._is_writing = False
                for row in batch:
                    row.is_settled = True
                self._change.notify_all()
        if any(row.problem is None for row in batch):
            self._after_commit()

    def _write(self, batch: Sequence[Row]) -> None:
        """Write the batch, or each row by itself when one of them is at fault, so that no row fails for another."""
        problem: Exception | None = None
        try:
            bodies = [row.body for row in batch]
            rows = b"[" + b",".join(row.columns for row in batch) + b"]"
            self._database.one_statement(INSERT, {"rows": rows.decode(), "bodies": bodies})
        except (IntegrityError, DataError) as fault:
            if len(batch) > 1:
                for row in batch:
                    self._write([row])
                return
            problem = fault
        except SQLAlchemyError as trouble:
            problem = trouble
        for row in batch:
            row.problem = problem


def row_of(organization_id: UUID, connection_id: UUID, columns: dict[str, object], body: bytes) -> Row:
    """A row for `Keeper.keep`."""
    return Row(orjson.dumps({**columns, "organization_id": organization_id, "connection_id": connection_id}), body)
