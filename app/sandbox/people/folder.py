"""The folder into which a machine without a mail provider puts its mails, watched for new ones."""

from collections.abc import Iterator
from pathlib import Path


class Folder:
    """Each file that ends in `.eml` is a mail, written whole. What lay there before the first look is old."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[str] = set(self._names())
        self._changed = self._stamp()

    def new(self) -> Iterator[bytes]:
        """The mails that have come since the last look, oldest first by name."""
        stamp = self._stamp()
        if stamp == self._changed:
            return
        self._changed = stamp
        fresh = sorted(set(self._names()) - self._known)
        for name in fresh:
            self._known.add(name)
            try:
                yield (self._path / name).read_bytes()
            except FileNotFoundError:
                continue

    def _names(self) -> list[str]:
        try:
            return [entry.name for entry in self._path.iterdir() if entry.suffix == ".eml" and entry.name[0] != "."]
        except FileNotFoundError:
            return []

    def _stamp(self) -> int | None:
        """When the folder last changed, to the nanosecond; None while there is none."""
        try:
            return self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
