"""What a home remembers about its services between starts: ports and passwords; and the lock that guards starting."""

import fcntl
import json
import random
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from app.embedded.errors import DataUnusable, HomeBusy
from app.embedded.processes import write_private

# Below the range that systems hand out for outgoing connections, so that a remembered port is rarely found taken.
_PORTS = range(18_000, 32_000)


@dataclass(frozen=True)
class State:
    """Ports on 127.0.0.1, and passwords long enough (256 bits) to need no stretching."""

    postgres_port: int
    valkey_port: int
    postgres_password: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    valkey_password: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def save(self, home: Path) -> None:
        """Keep this for the next start, readable by its owner only."""
        write_private(_file(home), json.dumps(asdict(self)), None)


def _file(home: Path) -> Path:
    return home / "services.json"


def find_state(home: Path) -> State | None:
    """What `home` remembers; None if nothing, or nothing legible. Raises `DataUnusable` if another user's."""
    try:
        return State(**json.loads(_file(home).read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    except PermissionError as problem:
        raise DataUnusable(
            f"{_file(home)} belongs to another user; run as that user or choose a RECOUP_HOME"
        ) from problem


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listens on just now."""
    for _ in _PORTS:
        port = random.choice(_PORTS)  # noqa: S311
        if is_free(port):
            return port
    raise HomeBusy(f"no port between {_PORTS.start} and {_PORTS.stop} of 127.0.0.1 seems to be free")


def candidates(first: int) -> Iterator[int]:
    """Ports to try in turn: `first` unless it is taken, then others."""
    if is_free(first):
        yield first
    for _ in range(3):
        yield free_port()


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@contextmanager
def exclusively(home: Path, patience: float = 120.0) -> Iterator[None]:
    """Hold the home's lock, which the kernel releases if we die; raises `HomeBusy` after `patience` seconds."""
    deadline = time.monotonic() + patience
    with _lock_file(home) as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise HomeBusy(f"another process has held {lock.name} for {patience:.0f} seconds") from None
                time.sleep(0.05)
        yield


def _lock_file(home: Path) -> IO[str]:
    try:
        return (home / "services.lock").open("a")
    except OSError as problem:
        raise DataUnusable(f"{home} cannot be written to ({problem}); choose another RECOUP_HOME") from problem
