"""One process of a rehearsal: what it plays comes in on its input, how far it is goes out line by line.

Here the stage gets its workers: the same job functions and the same sweep as everywhere, with the stage's context.
"""

import json
import os
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any

from app import create_app, log
from app.clock import SystemClock
from app.embedded import abandoned
from app.errors import RecoupError
from app.rehearsal.bell import StageBell
from app.rehearsal.gathering import gather
from app.rehearsal.orders import read_order
from app.rehearsal.playing import play
from app.rehearsal.rooms import open_room
from app.rehearsal.stage import open_stage
from app.supervisor.lifeline import die_with_parent
from workers import boot, jobs, sweeping

_FOLDERS = "recoup-rehearsal"
_JOBS = ("drain_inbox", "run_steps", "deliver_message", "resolve_attempt", "sweep")


def main() -> None:
    """Play what stands on the input: `order`, `database_url` and the `parent` to end with."""
    given = json.load(sys.stdin)
    log.configure("rehearsal")
    signal.signal(signal.SIGTERM, _end)
    die_with_parent(given["parent"])
    try:
        _say(result=perform(given))
    except Exception as problem:  # whatever it is, whoever waits for this process must be told
        log.get_logger(__name__).exception("rehearsal.failed")
        _say(problem=str(problem) if isinstance(problem, RecoupError) else _first_line(problem))
        sys.exit(1)


def perform(given: dict[str, Any]) -> dict[str, Any]:
    """What came of the order that was given; its room and its folder are gone afterwards."""
    order = read_order(given["order"])
    clear_away()
    with ExitStack() as stack:
        room = stack.enter_context(open_room(given["database_url"], SystemClock().now()))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix=abandoned.prefix(_FOLDERS))))
        stage = stack.enter_context(open_stage(order, stage_bell(), create_app, room, folder))
        boot.lend(stage.context)
        boot.leave_loaded_alone()
        play(stage, order, sweeping.sweep_once, lambda share: _say(share=share))
        return gather(stage)


def clear_away() -> None:
    """Remove the folders of rehearsals whose processes were killed."""
    for left_behind in abandoned.folders(_FOLDERS):
        shutil.rmtree(left_behind, ignore_errors=True)


def stage_bell() -> StageBell:
    """A bell that runs the real jobs in this process."""
    return StageBell({name: getattr(jobs, name) for name in _JOBS})


def _first_line(problem: Exception) -> str:
    words = str(getattr(problem, "orig", None) or problem).strip()
    return f"{type(problem).__name__}: {words.splitlines()[0] if words else 'without a word'}"


def _say(**words: Any) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


def _end(_number: int, _frame: FrameType | None) -> None:
    """Leave by the way of an exception, so that the room is dropped."""
    sys.exit(143)


if __name__ == "__main__":
    main()
