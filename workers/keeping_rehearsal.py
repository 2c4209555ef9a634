"""`python -m workers.keeping_rehearsal ORGANIZATION REHEARSAL PARENT`: plays one rehearsal of the book to its end.

A process of its own, because a rehearsal may take longer than a worker's job, and ends with the worker that began it.
"""

import os
import subprocess
import sys
from uuid import UUID

from app.rehearsal import book
from app.supervisor.lifeline import die_with_parent
from workers import boot

_begun: list[subprocess.Popen[bytes]] = []


def begin(organization_id: str, rehearsal_id: str) -> None:
    """Start the process and leave it to itself; earlier ones that have ended are taken off the system's list."""
    _begun[:] = [process for process in _begun if process.poll() is None]
    command = [sys.executable, "-m", "workers.keeping_rehearsal", organization_id, rehearsal_id, str(os.getpid())]
    _begun.append(subprocess.Popen(command, stdin=subprocess.DEVNULL))  # noqa: S603


def main(organization_id: str, rehearsal_id: str, parent: str) -> None:
    """Be that process."""
    die_with_parent(int(parent))
    book.play(boot.begin("rehearsal"), UUID(organization_id), UUID(rehearsal_id))


if __name__ == "__main__":
    main(*sys.argv[1:])
