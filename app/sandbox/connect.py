"""Connect: the platform's account, and the connected ones, each a world of its own on the same clock.

A connected account's objects are in a file of its own, so nothing of one account can ever be seen from another.
"""

import threading
from collections.abc import Callable

from app.sandbox import ids
from app.sandbox.errors import StripeRefusal, missing
from app.sandbox.store import Doc, Search
from app.sandbox.world import PLATFORM, World

KIND = "_account"
_FOLDER = "accounts"
_MOST = 1000

Stop = Callable[[], None]


class Accounts:
    """Every world of one sandbox. Whoever is to `attend` an opened world answers with how to stop that."""

    def __init__(self, platform: World, attend: Callable[[World], Stop] | None = None) -> None:
        self.platform = platform
        self._attend = attend
        self._lock = threading.RLock()
        self._opened: dict[str, tuple[World, Stop | None]] = {}

    def world(self, account: str | None, key: str = "sk_test_***") -> World:
        """The world of an account, None meaning the platform; raises the 403 for one that is not connected."""
        if account in (None, "", PLATFORM):
            return self.platform
        entry = self.platform.store.find(KIND, str(account))
        if entry is None or not entry["connected"]:
            raise no_access(str(account), key)
        return self._open(entry)

    def all(self) -> list[World]:
        """Every world, the platform's first; those of accounts that left are still there, and their time goes on."""
        entries, _ = self.platform.store.search(KIND, Search(limit=_MOST))
        return [self.platform, *(self._open(entry) for entry in reversed(entries))]

    def connect(self, name: str) -> Doc:
        """A new connected account, as its entry in the platform's books."""
        with self.platform.transaction() as ledger:
            entry = ledger.save(
                {"id": ids.new("acct"), "object": KIND, "created": ledger.now, "name": name, "connected": True}
            )
        self._open(entry)
        return entry

    def disconnect(self, account: str) -> Doc:
        """The account leaves: the platform hears `account.application.deauthorized`, and afterwards nothing more."""
        if self.platform.store.find(KIND, account) is None:
            raise missing("account", account)
        world = self.world(account)
        with world.transaction() as ledger:
            ledger.emit("account.application.deauthorized", {"id": "ca_sandbox", "object": "application", "name": None})
        world.tells_platform = False
        with self.platform.transaction() as ledger:
            return ledger.save({**ledger.get(KIND, account), "connected": False})

    def close(self) -> None:
        """Stop attending to the connected accounts and close their files."""
        with self._lock:
            for world, stop in self._opened.values():
                if stop is not None:
                    stop()
                world.store.close()
            self._opened.clear()

    def _open(self, entry: Doc) -> World:
        with self._lock:
            if entry["id"] not in self._opened:
                home = self.platform.home / _FOLDER / entry["id"]
                world = World(home, self.platform.clock, self.platform.base_url, self.platform)
                world.tells_platform = entry["connected"]
                self._opened[entry["id"]] = world, self._attend(world) if self._attend else None
            return self._opened[entry["id"]][0]


def no_access(account: str, key: str) -> StripeRefusal:
    """403: the key has nothing to do with that account."""
    return StripeRefusal(
        403,
        f"The provided key '{key}' does not have access to account '{account}' (or that account does not exist)."
        " Application access may have been revoked.",
        code="account_invalid",
        executed=False,
    )
