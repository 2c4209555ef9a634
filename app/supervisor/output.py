"""The supervisor's voice: lines of many processes, kept in files and shown on one stream.

A stream that takes nothing holds nobody up. What a line means is unknown here; only how loud it is.
"""

import json
import logging
import logging.handlers
import queue
import re
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TextIO

_ROOM = 10_000
_COLOURS = (36, 33, 35, 32, 34, 31)
_LOUD = frozenset({"error", "critical", "exception"})
_QUIET = frozenset({"debug", "info"})
_QUIET_TEXT = re.compile(r"\[?(?:DEBUG|INFO)\b")
_APART = ("timestamp", "level", "event", "process", "module")
_WIPE = "\r\x1b[2K"
_LARGEST_FILE = 10_000_000  # bytes; one older file is kept beside each


class _LogFile(logging.handlers.RotatingFileHandler):
    """A full disk is no reason for anything to stop."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_LARGEST_FILE, backupCount=1, encoding="utf-8", delay=True, errors="replace")

    def keep(self, text: str) -> None:
        self.handle(logging.LogRecord("", logging.INFO, "", 0, text, None, None))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the library's name)
        return


class Output:
    """Writes from a thread of its own. When `room` lines wait, further ones are dropped, and how many is said later.

    With `logs`, each process's lines are also kept in a file of its own there. Not `verbose`, the stream shows only
    warnings and worse. For a person (`pretty`) each line gets the name of its process and JSON becomes readable;
    otherwise lines pass through as they are.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        pretty: bool | None = None,
        room: int = _ROOM,
        logs: Path | None = None,
        verbose: bool = True,
    ) -> None:
        self._stream = stream or sys.stdout
        self._pretty = self._stream.isatty() if pretty is None else pretty
        self._logs = logs
        self._verbose = verbose
        self._files: dict[str, _LogFile] = {}
        self._lines: queue.Queue[tuple[str, str] | None] = queue.Queue(room)
        self._status = ""  # wanted
        self._standing = ""  # on the terminal
        self._dropped = 0
        self._names: list[str] = []
        self._thread = threading.Thread(target=self._write, daemon=True, name="output")
        self._thread.start()

    def say(self, text: str) -> None:
        """Write the supervisor's own words."""
        self._put(text)

    def show(self, status: str) -> None:
        """For a person: keep `status` on the last line, in the place of the one before; empty takes it away."""
        if self._pretty and status != self._status:
            self._status = status
            self._put("")

    def line(self, name: str, text: str) -> None:
        """Keep one line of the process `name`, and write it unless it is quieter than wanted."""
        self._keep(name, text)
        if not self._verbose and _is_quiet(text):
            return
        if not self._pretty:
            self._put(text)
            return
        if name not in self._names:
            self._names.append(name)
        colour = _COLOURS[self._names.index(name) % len(_COLOURS)]
        self._put(f"\x1b[{colour}m{name:<8}\x1b[0m {_readable(text)}")

    def close(self, patience: float = 2.0) -> None:
        """Write what waits, for at most `patience` seconds."""
        for file in self._files.values():
            file.close()
        try:
            self._lines.put(None, timeout=patience)
        except queue.Full:
            return
        self._thread.join(patience)

    def _keep(self, name: str, text: str) -> None:
        if self._logs is None:
            return
        if name not in self._files:
            with suppress(OSError):
                self._logs.mkdir(parents=True, exist_ok=True)
            self._files[name] = _LogFile(self._logs / f"{name}.log")
        self._files[name].keep(text)

    def _put(self, text: str) -> None:
        try:
            if self._dropped:
                lost = f"({self._dropped} lines were dropped because nothing read them)"
                self._lines.put_nowait((lost, self._status))
                self._dropped = 0
            self._lines.put_nowait((text, self._status))
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while (entry := self._lines.get()) is not None:
            try:
                self._stream.write(self._framed(*entry))
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                # Whoever read us has gone (a closed pipe or terminal); the processes go on without an audience.
                continue

    def _framed(self, text: str, status: str) -> str:
        """The line, with the status that stood there wiped away before it and the present one after it."""
        before = _WIPE if self._standing else ""
        self._standing = status
        return before + (f"{text}\n" if text else "") + status


def _is_quiet(text: str) -> bool:
    """Whether a line is only for those who look into the files; what cannot be told is for everybody."""
    try:
        return str(json.loads(text)["level"]) in _QUIET
    except (ValueError, KeyError, TypeError):
        return not text.strip() or _QUIET_TEXT.match(text) is not None


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
