"""Two small programs that see to it that no process outlives its supervisor, not even one that was killed outright.

Run as a script, without site-packages: `hold PARENT ARGV…` becomes a child that Linux kills with its parent; `watch`
reads process groups from a pipe and kills the last it heard of when the pipe closes, which works on any Unix and
reaches grandchildren, too. It knows nothing of what the processes do.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1


def hold(parent: int, argv: list[str]) -> None:
    """Become `argv`, to be killed when the thread of `parent` that started us ends."""
    die_with_parent(parent)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)  # noqa: S606
    except OSError as problem:
        sys.exit(f"{argv[0]} cannot be run: {problem}")


def die_with_parent(parent: int) -> None:
    """Have Linux kill this process when the thread of `parent` that started it ends; exits if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the process that started this one is gone")


def watch(groups: list[str]) -> None:
    """Read lines of process groups until the supervisor closes the pipe by ending; then kill the groups last named."""
    for line in sys.stdin:
        groups = line.split()
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(int(group), signal.SIGKILL)


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        hold(int(sys.argv[2]), sys.argv[3:])
    watch(sys.argv[2:])
