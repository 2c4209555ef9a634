"""Running the services' programs and recognising their processes again. Knows nothing of PostgreSQL or Valkey.

A process is recognised by a marker in its command line: a pid file alone may name a process that long since belongs to
another program, and survivors of a killed server are in no pid file at all.
"""

import hashlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import psutil  # type: ignore[import-untyped]

from app.embedded.account import Account
from app.embedded.errors import EmbeddedServiceFailed, ServiceAccountUnavailable

_LARGEST_LOG = 5_000_000
_LOG_TAIL = 1_500


def marker_of(identity: object) -> str:
    """What every process that serves one folder carries in its command line, made from what tells it from others."""
    return "recoup-" + hashlib.sha256(repr(identity).encode()).hexdigest()[:16]


def carries(pid: int, marker: str) -> bool:
    """Whether the process `pid` lives (a zombie does not) and is one of ours."""
    try:
        return any(marker in word for word in psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def carriers(marker: str) -> list[int]:
    """Every living process that carries `marker`."""
    return [pid for pid in psutil.pids() if carries(pid, marker)]


def read_pid(path: Path) -> int | None:
    """The number on the first line of a pid file; None if there is none, or not yet."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def end(marker: str, first: signal.Signals, patience: float) -> None:
    """Send `first` to every process with `marker`, wait `patience` seconds, then SIGKILL what remains."""
    for step, seconds in ((first, patience), (signal.SIGKILL, 5.0)):
        for pid in carriers(marker):
            send(pid, step)
        if wait_until(lambda: not carriers(marker), seconds):
            return
    raise EmbeddedServiceFailed(f"processes {carriers(marker)} do not end, even when killed")


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process if it is still there; raises `EmbeddedServiceFailed` if it is another user's."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as problem:
        raise EmbeddedServiceFailed(f"process {pid} was started by another user, who has to stop it") from problem


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Look at `condition` often, for at most `seconds`; whether it came true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def run(
    argv: Sequence[str | Path], account: Account | None, *, cwd: Path, stdin: str = "", log: IO[bytes] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end as `account` in a session of its own, away from the terminal's signals, with none of our
    environment (it holds secrets, and PG* variables that would mislead). `log` takes its output, else it is returned.
    Raises `ServiceAccountUnavailable` when the account cannot be taken on."""
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    identity = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    output = {"stdout": log, "stderr": log} if log else {"capture_output": True}
    try:
        return subprocess.run(  # type: ignore[call-overload,no-any-return]  # noqa: S603
            [str(word) for word in argv],
            cwd=cwd,
            env=environment,
            start_new_session=True,
            text=True,
            check=False,
            **({"stdin": subprocess.DEVNULL} if log else {"input": stdin}),
            **output,
            **identity,
        )
    except OSError as problem:
        who = f"as user {account.uid}" if account else "here"
        raise ServiceAccountUnavailable(
            f"{argv[0]} cannot be run {who}: {problem}. Run Recoup as an ordinary user from a folder it may read, "
            f"or set DATABASE_URL and REDIS_URL."
        ) from problem


def write_private(path: Path, text: str, account: Account | None) -> None:
    """Write a file that only `account` can read, whole or not at all, following no link.

    Raises `EmbeddedServiceFailed`.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "w") as file:
            if account:
                os.fchown(handle, account.uid, account.gid)
            file.write(text)
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except OSError as problem:
        raise failure(f"Writing {path}", str(problem), path.parent) from problem


def open_log(path: Path, account: Account | None) -> IO[bytes]:
    """Open a log to append to, owned by `account`; one that grew large is put aside as `.1` first."""
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_suffix(path.suffix + ".1"))
    file = path.open("ab")
    os.fchmod(file.fileno(), 0o600)
    if account:
        os.fchown(file.fileno(), account.uid, account.gid)
    return file


def failure(what: str, output: str, disk: Path) -> EmbeddedServiceFailed:
    """An error for a service that would not, with the end of what it said and what to do about the usual causes."""
    advice = "Its log is quoted above."
    if "No space left on device" in output:
        advice = f"The disk that holds {disk} is full: free some space and start again."
    elif "could not look up effective user ID" in output:
        advice = "The present user has no entry in /etc/passwd: run as a user who has, or set DATABASE_URL."
    elif "Permission denied" in output:
        advice = f"Check who owns {disk}: everything in it has to belong to the user who runs Recoup."
    elif "could not create shared memory" in output or "could not map anonymous shared memory" in output:
        advice = "The machine has too little (shared) memory left for PostgreSQL."
    return EmbeddedServiceFailed(f"{what} failed:\n{output.strip()[-_LOG_TAIL:]}\n{advice}")
