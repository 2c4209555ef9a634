"""One supervised process: started tied to us, listened to, ended with all that it started. Decides nothing itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_LIFELINE = str(Path(__file__).with_name("lifeline.py"))
_CHUNK = 65_536
_QUICK = 10.0
_LONGEST_PAUSE = 10.0


@dataclass(frozen=True)
class Child:
    """What to run. Of two stages the higher ends first; `env` is the whole environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    stage: int = 1


def isolated(*words: str) -> list[str]:
    """The command line of the lifeline script, kept from everything but the standard library."""
    return [sys.executable, "-I", "-S", _LIFELINE, *words]


class Process:
    """A run of a child. It leads a session of its own, so a terminal's Ctrl-C does not reach it past us.

    `is_mute` once it has closed its output, which it may do long before it ends.
    """

    def __init__(self, child: Child) -> None:
        self.child = child
        self.is_mute = False
        self._partial = b""
        self._began = time.monotonic()
        self._popen = subprocess.Popen(  # noqa: S603
            isolated("hold", str(os.getpid()), *child.argv),
            env=child.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )
        os.set_blocking(self.fileno(), False)

    @property
    def group(self) -> int:
        """Its process id, which is also its group's."""
        return self._popen.pid

    def fileno(self) -> int:
        """The end of the pipe that its output arrives at."""
        if self._popen.stdout is None:
            raise ValueError("the pipe is closed")
        return self._popen.stdout.fileno()

    def ended(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        return self._popen.poll()

    def ended_quickly(self) -> bool:
        """Whether it has lived so short a time that starting it again at once would likely be in vain."""
        return time.monotonic() - self._began < _QUICK

    def lines(self) -> Iterator[str]:
        """Whole lines that have arrived, without waiting; an endless one comes in pieces."""
        with suppress(BlockingIOError):
            while not self.is_mute:
                chunk = os.read(self.fileno(), _CHUNK)
                self.is_mute = not chunk
                *whole, self._partial = (self._partial + chunk).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)
                if len(self._partial) > _CHUNK:
                    yield self._last_words()

    def ask_to_end(self) -> None:
        """SIGTERM to the process itself, which knows best how to end what it started."""
        if self.ended() is None:
            self._popen.terminate()

    def clear_away(self) -> Iterator[str]:
        """Kill whatever is left of it and its children, and give the last it said."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.group, signal.SIGKILL)
        self._popen.wait()
        yield from self.lines()
        if self._partial:
            yield self._last_words()
        if self._popen.stdout:
            self._popen.stdout.close()

    def _last_words(self) -> str:
        words, self._partial = self._partial, b""
        return words.decode(errors="replace")


def pause_before_restart(failures: int) -> float:
    """Seconds to wait after the nth failure in a row: 0.2, 0.4, 0.8 … 10."""
    return float(min(0.1 * 2**failures, _LONGEST_PAUSE))
