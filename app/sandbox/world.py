"""The sandbox as one thing: its memory, its clock, and the bell that wakes its background work."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.clock import SandboxClock
from app.sandbox.ledger import Ledger, Mark
from app.sandbox.store import Store

DATABASE = "sandbox.db"


class World:
    """What every request handler, timer and delivery works with."""

    def __init__(self, home: Path, clock: SandboxClock, base_url: str) -> None:
        self.store = Store(home / DATABASE)
        self.clock = clock
        self.base_url = base_url
        self.bell = threading.Event()

    def now(self) -> int:
        """The sandbox's moment in Unix seconds."""
        return int(self.clock.now().timestamp())

    @contextmanager
    def transaction(self, now: int | None = None, mark: Mark | None = None) -> Iterator[Ledger]:
        """One transaction at the moment `now` (default: the clock's).

        Rings the bell afterwards if there is mail to deliver.
        """
        with self.store.transaction():
            ledger = Ledger(self.store, self.now() if now is None else now, self.base_url, mark or Mark())
            yield ledger
        if ledger.woke:
            self.bell.set()

    def next_due(self) -> int | None:
        """When the next timer rings (Unix seconds), or None."""
        rows = self.store.fetch("select min(due) from timers")
        return rows[0][0] if rows else None
