"""The processes of one town: started by the forge, killed by the tests, started again as a supervisor would.

Knows how processes live and die, and nothing of what they are for.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from app.embedded.processes import wait_until

ROOT = Path(__file__).parents[2]
STRANGE = ("RECOUP_", "SENDGRID_", "SMTP_", "DATABASE_", "REDIS_", "STRIPE_", "PORT")


class Forge:
    """The program `tests.faults.forge` at our command."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(STRANGE)}
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forge"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._turn = threading.Lock()
        self._is_ready = False

    def start(self, argv: list[str], environment: dict[str, str], folder: Path, log: Path, sabotage: str | None) -> int:
        """Start one process; its pid, which is also its group's."""
        order = {"argv": argv, "environment": environment, "folder": str(folder), "log": str(log), "sabotage": sabotage}
        pid: int = self._ask({"start": order})
        return pid

    def ended(self, pid: int) -> int | None:
        """The exit code of a process (negative: the signal that killed it), or None while it lives."""
        code: int | None = self._ask({"ended": pid})
        return code

    def close(self) -> None:
        """Kill whatever was started."""
        with self._turn:
            self._program.communicate(timeout=30)

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._program.stdin
        assert self._program.stdout
        with self._turn:
            if not self._is_ready:
                self._is_ready = json.loads(self._program.stdout.readline()) == "ready"
            self._program.stdin.write(json.dumps(order) + "\n")
            self._program.stdin.flush()
            return json.loads(self._program.stdout.readline())


@dataclass
class Member:
    """One process of the town under its name. `pid` changes with every start."""

    name: str
    argv: list[str]
    forge: Forge
    environment: dict[str, str]
    folder: Path
    pid: int = 0

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self, sabotage: str | None = None, **environment: str) -> None:
        """Start it, with `environment` added to its own for this life only."""
        self.pid = self.forge.start(self.argv, self.environment | environment, self.folder, self.log, sabotage)

    def kill(self) -> None:
        """SIGKILL it and its children, and wait until they are gone."""
        if self.pid:
            _kill_group(self.pid)
            assert wait_until(lambda: self.forge.ended(self.pid) is not None, 10), f"{self.name} cannot be killed"

    def stop(self) -> None:
        """SIGTERM it and let it finish what it has in hand."""
        if self.pid and self.forge.ended(self.pid) is None:
            os.kill(self.pid, signal.SIGTERM)
            wait_until(lambda: self.forge.ended(self.pid) is not None, 20)
        self.kill()

    def restart(self, sabotage: str | None = None, **environment: str) -> None:
        """Kill it if it lives, and start it again."""
        self.kill()
        self.start(sabotage, **environment)

    def children(self) -> set[int]:
        """The pids of its living children: those who do the work, where it is a parent of workers."""
        try:
            below = psutil.Process(self.pid).children()
            return {child.pid for child in below if child.status() != psutil.STATUS_ZOMBIE}
        except psutil.NoSuchProcess:
            return set()

    def tail(self) -> str:
        """The last that it said."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return "\n".join([f"--- {self.name}", *lines[-25:]])


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
