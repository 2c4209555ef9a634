"""Keeps a handful of processes running in the foreground, and ends them together. Knows names and command lines only.

A process that dies is started again, more slowly the more often it dies. The first SIGINT, SIGTERM or SIGHUP asks all
to end, stage by stage, and kills what has not ended after the grace; a second one kills at once. When the supervisor
itself is killed, so are they: the next start never meets leftovers that hold its ports.
"""

import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

from app.errors import RecoupError
from app.supervisor.output import Output
from app.supervisor.process import Child, Process, isolated, pause_before_restart

__all__ = ["Child", "Output", "Stopped", "Supervisor"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BEAT = 0.2
_ONE_WISH = 1.0
T = TypeVar("T")


class Stopped(RecoupError):
    """A signal asked us to stop while something else was being waited for."""


class Supervisor:
    """To be used in a `with` by the main thread; leaving it ends every process, within `grace` seconds and a little."""

    def __init__(self, output: Output, *, grace: float = 25.0) -> None:
        self._output = output
        self._grace = grace
        self._running: dict[str, Process] = {}
        self._due: list[tuple[float, Child]] = []
        self._failures: dict[str, int] = {}
        self._signals = 0
        self._last_signal = -_ONE_WISH
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._handlers: dict[signal.Signals, Any] = {}
        self._watcher = _start_watcher([])

    def __enter__(self) -> Self:
        for end in (self._woken, self._waker):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        for number in _SIGNALS:
            # nohup's wish to outlive the terminal is respected.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_all()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._selector.close()
        self._woken.close()
        self._waker.close()
        if self._watcher.stdin:
            self._watcher.stdin.close()
        self._watcher.wait()

    def add(self, child: Child) -> None:
        """Start a process and keep it running from now on."""
        process = Process(child)
        self._running[child.name] = process
        self._selector.register(process, selectors.EVENT_READ)
        self._tell_watcher()

    def pid(self, name: str) -> int | None:
        """The process that runs as `name` at this moment."""
        process = self._running.get(name)
        return process.group if process else None

    def failures(self, name: str) -> int:
        """How many times in a row `name` has ended soon after its start."""
        return self._failures.get(name, 0)

    def stop(self) -> None:
        """Ask for the end, as a signal would; may be called from any thread."""
        now = time.monotonic()
        # Terminals, make and `timeout` may pass one Ctrl-C on twice; that is no second wish.
        if now - self._last_signal > _ONE_WISH:
            self._signals += 1
            self._last_signal = now
        self._wake()

    def run(self) -> None:
        """Tend the processes until told to stop."""
        while not self._signals:
            self._tend()

    def during(self, work: Callable[[], T]) -> T:
        """Tend the processes while `work` runs in a thread; gives what it gives, raises what it raises.

        Raises `Stopped` when told to stop meanwhile; the thread is then left to itself and ends with the program.
        """
        done: list[T] = []
        failed: list[BaseException] = []

        def carry_out() -> None:
            try:
                done.append(work())
            except BaseException as problem:
                failed.append(problem)
            self._wake()

        thread = threading.Thread(target=carry_out, daemon=True)
        thread.start()
        while not self._signals and not (done or failed):
            self._tend()
        if failed:
            raise failed[0]
        if not done:
            raise Stopped("stopped before everything had started")
        return done[0]

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _wake(self) -> None:
        try:
            self._waker.send(b"!")
        except OSError:
            # Full (enough wake-ups are waiting) or closed (there is nobody left to wake).
            return

    def _tend(self) -> None:
        """One round: pass on what was said, start again what died."""
        self._listen()
        for process in [process for process in self._running.values() if process.ended() is not None]:
            self._bury(process)
            self._plan_restart(process)
        now = time.monotonic()
        ready = [child for moment, child in self._due if moment <= now]
        self._due = [(moment, child) for moment, child in self._due if moment > now]
        for child in ready:
            self._start_again(child)
        if self._watcher.poll() is not None:
            self._watcher = _start_watcher(self._groups())

    def _start_again(self, child: Child) -> None:
        try:
            self.add(child)
        except OSError as problem:
            # The machine has no process or memory to spare just now.
            self._output.line(child.name, f"{child.name} could not be started: {problem}")
            self._due.append((time.monotonic() + _BEAT * 10, child))

    def _listen(self) -> None:
        for key, _ in self._selector.select(_BEAT):
            if isinstance(key.fileobj, Process):
                for line in key.fileobj.lines():
                    self._output.line(key.fileobj.child.name, line)
                if key.fileobj.is_mute:
                    self._selector.unregister(key.fileobj)
            else:
                self._woken.recv(4096)

    def _bury(self, process: Process) -> None:
        del self._running[process.child.name]
        if not process.is_mute:
            self._selector.unregister(process)
        for line in process.clear_away():
            self._output.line(process.child.name, line)
        self._tell_watcher()

    def _plan_restart(self, process: Process) -> None:
        name = process.child.name
        self._failures[name] = self.failures(name) + 1 if process.ended_quickly() else 1
        pause = pause_before_restart(self._failures[name])
        self._output.line(name, f"{name} ended ({_how(process.ended())}); starting it again in {pause:.1f} s")
        self._due.append((time.monotonic() + pause, process.child))

    def _end_all(self) -> None:
        deadline = time.monotonic() + self._grace
        asked = self._signals
        for stage in sorted({process.child.stage for process in self._running.values()}, reverse=True):
            for process in self._of(stage):
                process.ask_to_end()
            while self._of(stage) and time.monotonic() < deadline and self._signals <= max(asked, 1):
                self._listen()
                for process in [process for process in self._of(stage) if process.ended() is not None]:
                    self._bury(process)
            for process in self._of(stage):
                self._output.line(process.child.name, f"{process.child.name} did not end in time and is killed")
                self._bury(process)

    def _of(self, stage: int) -> list[Process]:
        return [process for process in self._running.values() if process.child.stage == stage]

    def _groups(self) -> list[str]:
        return [str(process.group) for process in self._running.values()]

    def _tell_watcher(self) -> None:
        try:
            if self._watcher.stdin:
                self._watcher.stdin.write(" ".join(self._groups()).encode() + b"\n")
        except BrokenPipeError:
            # It was killed; the next round starts another and tells it everything.
            return


def _start_watcher(groups: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603
        isolated("watch", *groups),
        stdin=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
        env={"PATH": os.defpath},
    )


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
