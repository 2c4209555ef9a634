"""A rehearsal in several processes at once, each with a room of its own; what came of them is joined afterwards."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO, Any

from app.rehearsal.errors import Cancelled, RehearsalFailed
from app.rehearsal.ordering import shares
from app.rehearsal.orders import Order

PROCESSES = 2
_COMMAND = (sys.executable, "-m", "workers.rehearsing")
_HANDED_DOWN = ("PATH", "HOME", "LANG", "LC_", "TZ", "TMP", "PYTHON", "VIRTUAL_ENV", "LD_LIBRARY")
_LOOK_EVERY = 0.2  # seconds
_ENDS_WITHIN = 30.0  # seconds, for dropping its room
_LAST_WORDS = 2000

Plain = dict[str, Any]


@dataclass
class _Share:
    """One process, and what it has said so far."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    progress: float = 0.0
    result: Plain | None = None
    problem: str | None = None
    heard: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.heard = threading.Thread(target=self._hear, daemon=True)
        self.heard.start()

    def _hear(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said = json.loads(line)
            self.progress = said.get("share", self.progress)
            self.result, self.problem = said.get("result", self.result), said.get("problem", self.problem)

    def is_over(self) -> bool:
        """Whether it has ended, and all it said has been heard; raises `RehearsalFailed` where it ended badly."""
        if self.process.poll() is None or self.heard.is_alive():
            return False
        if self.result is None:
            raise RehearsalFailed(self.problem or f"a process of the rehearsal died: {self._last_words()}")
        return True

    def _last_words(self) -> str:
        self.log.seek(0)
        lines = self.log.read()[-_LAST_WORDS:].decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "without a word"


def perform(
    order: Order,
    database_url: str,
    say: Callable[[float], None],
    is_cancelled: Callable[[], bool] = lambda: False,
    processes: int = PROCESSES,
) -> Plain:
    """Play `order` and give all that came of it; `say` hears the share that is over (0 to 1).

    Raises `RehearsalFailed` when a process fails, `Cancelled` when `is_cancelled` says so. No process outlives this.
    """
    waiting = threading.Event()
    with _begun(shares(order, processes), database_url) as begun:
        while not _are_over(begun):
            if is_cancelled():
                raise Cancelled("somebody ended the rehearsal")
            say(sum(share.progress for share in begun) / len(begun))
            waiting.wait(_LOOK_EVERY)
        return _joined([share.result or {} for share in begun])


def _are_over(begun: list[_Share]) -> bool:
    """Every one is asked, so that one that died is noticed while another goes on."""
    over = [share.is_over() for share in begun]
    return all(over)


@contextmanager
def _begun(orders: list[Order], database_url: str) -> Iterator[list[_Share]]:
    begun: list[_Share] = []
    try:
        for order in orders:
            begun.append(_begin(order, database_url))
        yield begun
    finally:
        for share in begun:
            share.process.terminate()
        for share in begun:
            _end(share)


def _begin(order: Order, database_url: str) -> _Share:
    log = TemporaryFile()  # noqa: SIM115 - closed with its process
    pipe = subprocess.PIPE
    process = subprocess.Popen(_COMMAND, stdin=pipe, stdout=pipe, stderr=log, env=_environment())  # noqa: S603
    given = {"order": order.plain(), "database_url": database_url, "parent": os.getpid()}
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(given).encode())
        process.stdin.close()
    except BrokenPipeError:  # it died at once; why is found in its log
        pass
    return _Share(process, log)


def _environment() -> dict[str, str]:
    """What a process needs to run, and nothing of what this installation is set up with: no key, address or proxy."""
    return {name: value for name, value in os.environ.items() if name.startswith(_HANDED_DOWN)}


def _end(share: _Share) -> None:
    try:
        share.process.wait(_ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        share.process.kill()
        share.process.wait()
    share.heard.join(timeout=5)
    for pipe in (share.process.stdout, share.log):
        if pipe is not None:
            pipe.close()


def _joined(results: list[Plain]) -> Plain:
    """One result of several; a mail that several rendered is shown once."""
    letters = {(one["key"], one["kind"], one["locale"]): one for result in results for one in result["letters"]}
    return {
        "cases": [case for result in results for case in result["cases"]],
        "letters": [letters[key] for key in sorted(letters, key=str)],
        "readers": dict(sum((Counter(result["readers"]) for result in results), Counter())),
        "troubles": sorted({trouble for result in results for trouble in result["troubles"]}),
    }
