"""Turns the clock for the pages, in the background: a page cannot wait for minutes.

With a command (of the program that this sandbox belongs to) that one turns it, because it alone knows what else has
to happen at its moment; without one the sandbox turns its own.
"""

import os
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.log import get_logger
from app.sandbox.control.desk import Desk
from app.sandbox.control.time import advance
from app.sandbox.errors import wrong_state

SPANS = {"1h": "an hour", "6h": "6 hours", "1d": "a day", "3d": "3 days", "1w": "a week", "2w": "two weeks"}
_HOURS = {"1h": 1, "6h": 6, "1d": 24, "3d": 72, "1w": 168, "2w": 336}
_SETTLE_SECONDS = 10.0
_LONGEST = 3600  # real seconds that a command may take

log = get_logger(__name__)


@dataclass
class Turn:
    """One turning: where from and where to, whether it is over, and what went wrong in it."""

    span: str
    begins: datetime
    target: datetime
    is_over: bool = False
    problem: str | None = None


class Turner:
    """At most one turning at a time. `command` is put before the span."""

    def __init__(self, desk: Desk, command: Sequence[str] = ()) -> None:
        self._desk = desk
        self._command = tuple(command)
        self._lock = threading.Lock()
        self.latest: Turn | None = None

    @property
    def is_turning(self) -> bool:
        """Whether the clock is being turned at this moment."""
        return self.latest is not None and not self.latest.is_over

    def turn(self, span: str) -> None:
        """Begin to turn by one of `SPANS`; raises a 400 for another one, or while the clock is being turned."""
        if span not in SPANS:
            raise wrong_state(f"The clock is turned by one of {', '.join(SPANS)}.")
        now = self._desk.accounts.platform.clock.now()
        with self._lock:
            if self.is_turning:
                raise wrong_state("The clock is being turned already; wait until it has arrived.")
            turn = self.latest = Turn(span, now, now + timedelta(hours=_HOURS[span]))
        threading.Thread(target=self._run, args=(turn,), name="sandbox-turner", daemon=True).start()

    def _run(self, turn: Turn) -> None:
        try:
            if self._command:
                turn.problem = self._by_command(turn.span)
            else:
                advance(self._desk, turn.target, _SETTLE_SECONDS)
        except Exception as problem:
            log.exception("sandbox.turning_failed")
            turn.problem = str(problem)
        finally:
            turn.is_over = True

    def _by_command(self, span: str) -> str | None:
        """The last line that the command complained with, if it failed."""
        done = subprocess.run(  # noqa: S603 - our own command, and a span out of our own table
            [*self._command, span],
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            env={**os.environ, "NO_COLOR": "1"},
        )
        if done.returncode == 0:
            return None
        lines = (done.stderr or done.stdout).strip().splitlines()
        return lines[-1].removeprefix("Error: ") if lines else f"it ended with {done.returncode}"
