"""Starts Recoup's processes for the fault suite: one parent that has loaded the program forks each of them.

A process that dies every second cannot pay two seconds of imports each time it comes back. What runs in the child is
what `recoup web`, `worker` and `clock` become, with the environment that it is given. Orders come as lines of JSON on
stdin, each answered by one line; when stdin closes, everything that was started is killed.
"""

import json
import os
import signal
import sys
from importlib import import_module

from app import create_app as create_app  # what the web process will load, so that it has been loaded here
from app.cli.processes import web
from app.sandbox.__main__ import main as sandbox
from app.supervisor.lifeline import die_with_parent
from workers.__main__ import main as work

_ended: dict[int, int] = {}
_alive: set[int] = set()


def main() -> None:
    """Obey until stdin closes."""
    _say("ready")
    try:
        for line in sys.stdin:
            order = json.loads(line)
            _reap()
            answer = _start(**order["start"]) if "start" in order else _ended.get(order["ended"])
            _say(answer)
    finally:
        for pid in _alive:
            _kill_group(pid)


def _say(answer: str | int | None) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _start(argv: list[str], environment: dict[str, str], folder: str, log: str, sabotage: str | None) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        _alive.add(pid)
        return pid
    os.setsid()
    die_with_parent(parent)
    os.chdir(folder)  # away from the .env of whoever runs the tests
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os._exit(_run(argv, sabotage))


def _run(argv: list[str], sabotage: str | None) -> int:
    try:
        if sabotage:
            getattr(import_module("tests.faults.sabotage"), sabotage)()
        sys.argv = argv
        if argv[0] == "sandbox":
            sandbox()
        elif argv[0] == "web":
            web.main(argv[1:])
        else:
            work(argv[0])
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else 1
    except BaseException as problem:
        sys.stderr.write(f"{type(problem).__name__}: {problem}\n")
        return 1
    return 0


def _reap() -> None:
    for pid in list(_alive):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            _alive.discard(pid)
            _ended[pid] = os.waitstatus_to_exitcode(status)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
