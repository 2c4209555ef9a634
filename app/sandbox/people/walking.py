"""The thread in which errands are walked: real visits to real pages, while the sandbox goes on answering."""

import threading
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from app.log import get_logger
from app.sandbox.issuers.luck import luck
from app.sandbox.people import mailroom
from app.sandbox.people.browsing import Browser, NotAllowed, PageAway
from app.sandbox.people.choices import Walker
from app.sandbox.people.folder import Folder
from app.sandbox.people.habits import Deed, approves
from app.sandbox.people.letters import read
from app.sandbox.store import Doc
from app.sandbox.world import World

_LOOK_EVERY = 0.5
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

log = get_logger(__name__)


class People:
    """Everybody who reads their mail. `pages` are addresses of hosts, beside this machine's, that they may visit."""

    def __init__(self, world: World, mailbox: Path | None = None, pages: Iterable[str] = ()) -> None:
        self._world = world
        self._folder = Folder(mailbox) if mailbox else None
        self._hosts = {urlsplit(address).hostname for address in pages}
        self._collecting = threading.Lock()
        self._walking = threading.Lock()
        self._stopping = threading.Event()
        self._bell = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-people", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the visit in hand."""
        self._stopping.set()
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join(timeout=60)

    def receive(self, raw: bytes) -> list[str]:
        """A mail has come; returns the customers who got it."""
        with self._world.transaction() as ledger:
            return mailroom.deliver(ledger, read(raw))

    def collect(self) -> None:
        """Take the new mails out of the folder, if there is one."""
        if self._folder is not None:
            with self._collecting:
                for raw in self._folder.new():
                    self.receive(raw)

    def waiting(self) -> int:
        """How many errands' moment has come, those being walked among them; wakes the walker for them."""
        rows = self._world.store.fetch(
            "select count(*) from objects where kind = ? and status = ?", mailroom.ERRAND, mailroom.READY
        )
        if rows[0][0]:
            self._bell.set()
        return int(rows[0][0])

    def walk_ready(self) -> int:
        """Walk every errand whose moment has come; returns how many."""
        with self._walking:
            rows = self._world.store.ids_linked(mailroom.ERRAND, "status", mailroom.READY)
            for identifier in rows:
                errand = self._world.store.find(mailroom.ERRAND, identifier)
                if errand is not None and not self._stopping.is_set():
                    self._walk(errand)
            return len(rows)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.collect()
                walked = self.walk_ready()
            except Exception:
                log.exception("sandbox.people_failed")
                walked = 0
            if not walked:
                self._bell.wait(_LOOK_EVERY)
                self._bell.clear()

    def _walk(self, errand: Doc) -> None:
        walker = Walker(Deed(errand["deed"]), approves(errand["person"], errand["matter"]))
        try:
            Browser(self._is_allowed, _address(errand["person"])).walk(errand["link"], walker.choose)
        except PageAway as problem:
            with self._world.transaction() as ledger:
                mailroom.put_off(ledger, errand, str(problem))
            return
        except NotAllowed as problem:
            walker.did.append(str(problem))
        except Exception:  # whatever a page may do to its visitor, one visit must not stop all the others
            log.exception("sandbox.visit_failed")
            walker.did.append("the page made no sense")
        with self._world.transaction() as ledger:
            mailroom.settle(ledger, errand, walker.did)

    def _is_allowed(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and (parts.hostname in _LOOPBACK or parts.hostname in self._hosts)


def _address(person: int) -> str:
    """An address out of the range that is set aside for tests of networks."""
    number = int(luck(person, "address") * (1 << 17))
    return f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
