"""A bell that is heard in its own process: rings are kept in order of urgency until somebody works them off.

No Redis is asked, so a rehearsal neither wakes the real workers nor needs any.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.bell import Bell, Urgency
from app.rehearsal.errors import UnknownJob

NOWHERE = "memory://"  # in the place of Redis' address: visits are counted in this process

Jobs = Mapping[str, Callable[..., None]]


class StageBell(Bell):
    """Keeps what was rung for; `work_off` carries it out. `jobs` are the job functions by their names."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._waiting: dict[Urgency, deque[tuple[str, tuple[Any, ...]]]] = {urgency: deque() for urgency in Urgency}
        self._marks: set[str] = set()

    def ring(self, job: str, *arguments: str | Sequence[Sequence[str]], urgency: Urgency = Urgency.SOON) -> bool:
        if job not in self._jobs:
            raise UnknownJob(f"nobody on this stage knows the job {job}")
        self._waiting[urgency].append((job, arguments))
        return True

    def work_off(self) -> int:
        """Do everything that waits, and what it rings for; how many jobs were done."""
        done = 0
        while (entry := self._next()) is not None:
            job, arguments = entry
            self._jobs[job](*arguments)
            done += 1
        return done

    def is_first(self, mark: str, forgotten_after_ms: int) -> bool:
        if mark in self._marks:
            return False
        self._marks.add(mark)
        return True

    def forget(self, mark: str) -> None:
        self._marks.discard(mark)

    def waiting(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())

    def is_silent(self) -> bool:
        return not self.waiting()

    def is_reachable(self) -> bool:
        return True

    def _next(self) -> tuple[str, tuple[Any, ...]] | None:
        return next((queue.popleft() for queue in self._waiting.values() if queue), None)
