"""The sandbox as one thing: its memory, its clock, and the bell that wakes its background work."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.clock import SandboxClock
from app.sandbox import test_clocks
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
    def transaction(
        self, now: int | None = None, mark: Mark | None = None, about: Iterable[str] = (), clock: str | None = None
    ) -> Iterator[Ledger]:
        """One transaction at the moment `now` (default: the clock's).

        If one of the ids in `about` names something that lives on a test clock, that clock's moment holds instead.
        With `clock`, `now` is a moment of that test clock. Rings the bell afterwards if there is mail to deliver.
        """
        with self.store.transaction():
            wall = self.now() if now is None or clock else now
            ledger = Ledger(self.store, wall, self.base_url, mark or Mark())
            if clock and now is not None:
                ledger.now, ledger.clock = now, clock
            test_clocks.enter(ledger, about)
            yield ledger
        if ledger.woke:
            self.bell.set()

    def next_due(self) -> int | None:
        """When the next timer rings (Unix seconds), those of test clocks left out, or None."""
        rows = self.store.fetch("select min(due) from timers where clock is null")
        return rows[0][0] if rows else None
