"""The clock of a rehearsal: it stands still until it is turned, and ticks a microsecond each time it is read.

So whatever happens between two turns has an order, and takes no time. It lives in one process and touches no file.
"""

from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from app.clock import ClockWouldRunBack, SandboxClock

_TICK = timedelta(microseconds=1)


class StageClock(SandboxClock):
    """In the place of the clock that processes of a sandbox share by a file. Safe to be read by threads."""

    def __init__(self, begins: datetime) -> None:
        super().__init__(Path("unused"))
        self._moment, self._ticks = begins, count()

    def now(self) -> datetime:
        return self._moment + next(self._ticks) * _TICK

    def turn_to(self, moment: datetime) -> None:
        """Turn to `moment`; raises `ClockWouldRunBack`."""
        if moment < self._moment:
            raise ClockWouldRunBack(f"the clock can only be turned forward; {moment.isoformat()} has passed")
        self._moment, self._ticks = moment, count()
