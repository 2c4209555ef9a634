"""The supervisor's voice: lines of many processes onto one stream. A stream that takes nothing holds nobody up."""

import json
import queue
import sys
import threading
from typing import TextIO

_ROOM = 10_000
_COLOURS = (36, 33, 35, 32, 34, 31)
_LOUD = frozenset({"error", "critical", "exception"})
_APART = ("timestamp", "level", "event", "process", "module")


class Output:
    """Writes from a thread of its own. When `room` lines wait, further ones are dropped, and how many is said later.

    For a person (`pretty`) each line gets the name of its process and JSON becomes readable; otherwise lines pass
    through as they are.
    """

    def __init__(self, stream: TextIO | None = None, *, pretty: bool | None = None, room: int = _ROOM) -> None:
        self._stream = stream or sys.stdout
        self._pretty = self._stream.isatty() if pretty is None else pretty
        self._lines: queue.Queue[str | None] = queue.Queue(room)
        self._dropped = 0
        self._names: list[str] = []
        self._thread = threading.Thread(target=self._write, daemon=True, name="output")
        self._thread.start()

    def say(self, text: str) -> None:
        """Write the supervisor's own words."""
        self._put(text)

    def line(self, name: str, text: str) -> None:
        """Write one line of the process `name`."""
        if not self._pretty:
            self._put(text)
            return
        if name not in self._names:
            self._names.append(name)
        colour = _COLOURS[self._names.index(name) % len(_COLOURS)]
        self._put(f"\x1b[{colour}m{name:<8}\x1b[0m {_readable(text)}")

    def close(self, patience: float = 2.0) -> None:
        """Write what waits, for at most `patience` seconds."""
        try:
            self._lines.put(None, timeout=patience)
        except queue.Full:
            return
        self._thread.join(patience)

    def _put(self, text: str) -> None:
        try:
            if self._dropped:
                self._lines.put_nowait(f"({self._dropped} lines were dropped because nothing read them)")
                self._dropped = 0
            self._lines.put_nowait(text)
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while (text := self._lines.get()) is not None:
            try:
                self._stream.write(text + "\n")
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                # Whoever read us has gone (a closed pipe or terminal); the processes go on without an audience.
                continue


def _readable(text: str) -> str:
    """A JSON log line as a person would write it; any other line as it is."""
    try:
        event = json.loads(text)
        words = [str(event["event"])]
    except (ValueError, KeyError, TypeError):
        return text
    words += [f"{key}={value}" for key, value in event.items() if key not in _APART]
    moment = str(event.get("timestamp", ""))[11:19]
    level = str(event.get("level", "info"))
    line = " ".join([moment, *words]).strip()
    return f"\x1b[31m{line}\x1b[0m" if level in _LOUD else line
