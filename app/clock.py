"""The one place that reads a clock. Everything else is handed a `now`.

In a sandbox every process shares a clock that can be turned: the wall's time plus an offset kept in a small file.
It only ever moves forward, because nothing in billing has a meaning when time runs back.
"""

import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from app.errors import RecoupError

JUST_PASSED = timedelta(minutes=1)


class ClockWouldRunBack(RecoupError):
    """The clock was asked to turn to a moment before its present one."""


class Clock(Protocol):
    """Whatever can say what time it is, as an aware moment in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The wall's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SandboxClock:
    """The wall's time plus the offset in `path`, which every process of one sandbox shares.

    A file that is missing means no offset. Reading costs one `stat` while the file is unchanged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._offset = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._current_offset()

    def turn_to(self, moment: datetime) -> None:
        """Turn every process's clock forward to `moment`; raises `ClockWouldRunBack`.

        A moment that passed while it was being asked for, as it may on a busy machine, needs no turning.
        """
        wall = datetime.now(UTC)
        if moment < wall + self._current_offset() - JUST_PASSED:
            raise ClockWouldRunBack(f"the clock can only be turned forward; {moment.isoformat()} has passed")
        offset = max(moment - wall, self._current_offset())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".clock-")
        with os.fdopen(handle, "w") as file:
            json.dump({"offset_seconds": offset.total_seconds()}, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(self._path)

    def _current_offset(self) -> timedelta:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return timedelta(0)
        if self._seen != (stat.st_mtime_ns, stat.st_ino):
            self._offset = timedelta(seconds=json.loads(self._path.read_text())["offset_seconds"])
            self._seen = (stat.st_mtime_ns, stat.st_ino)
        return self._offset
