"""The worker process: loads everything once, then forks RQ workers that run jobs without forking again.

Forking for each job costs 15 ms and a fresh set of connections; a spawned worker imports the program anew for each.
What a job could leave behind in a process is nothing here, so workers keep theirs (DECISIONS.md).
"""

import os
import signal
import time
from types import FrameType

from rq import Queue, SimpleWorker

from app.bell import Bell, Urgency
from app.context import Context
from app.log import get_logger
from app.supervisor.lifeline import die_with_parent
from workers import boot
from workers import jobs as jobs  # loaded before the fork, so that no worker pays for it

log = get_logger(__name__)
RESTART_AFTER = 1.0  # seconds


class Pool:
    """A parent and its workers: a dead worker is replaced, SIGTERM lets each finish its job."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._children: set[int] = set()
        self._is_ending = False

    def run(self) -> None:
        """Keep the wanted number of workers until SIGTERM or SIGINT."""
        self._context.database.dispose()
        boot.leave_loaded_alone()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for _ in range(self._context.settings.worker_processes):
            self._fork()
        while self._children:
            try:
                dead, _ = os.wait()
            except InterruptedError:
                continue
            self._children.discard(dead)
            if not self._is_ending:
                log.warning("worker.died", pid=dead)
                time.sleep(RESTART_AFTER)
                self._fork()

    def _fork(self) -> None:
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            die_with_parent(parent)
            work(self._context)
            os._exit(0)
        self._children.add(child)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_ending = True
        for child in self._children:
            os.kill(child, signal.SIGTERM)


def work(context: Context, burst: bool = False) -> None:
    """Run jobs in this process, the most urgent queue first; with `burst`, until no job is left."""
    bell = Bell(context.settings.require("redis_url"))
    queues = [Queue(urgency, connection=bell.redis) for urgency in Urgency]
    worker = SimpleWorker(queues, connection=bell.redis)
    worker.work(burst=burst, logging_level="WARNING")
