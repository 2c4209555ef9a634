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
PLATFORM = "acct_1SandboxRecoup000"


class World:
    """What every request handler, timer and delivery works with."""

    def __init__(self, home: Path, clock: SandboxClock, base_url: str, platform: "World | None" = None) -> None:
        """Open the account kept in `home`: the platform's own, or one that is connected to `platform`."""
        self.platform = platform
        self.account = PLATFORM if platform is None else home.name
        self.tells_platform = platform is not None
        self.home = home
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
            if self.platform is not None:
                ledger.account = self.account
                ledger.platform = self.platform.store if self.tells_platform else None
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
