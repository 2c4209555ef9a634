"""The doorbell: tells workers over Redis that rows are waiting. Losing a ring loses time, never work.

Carries ids only. When Redis is away it logs and carries on, because the clock process finds the rows.
"""

from collections.abc import Sequence
from enum import StrEnum

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue

from app.log import get_logger

log = get_logger(__name__)


class Urgency(StrEnum):
    """RQ queues, most urgent first; workers listen in this order."""

    NOW = "recoup-now"
    SOON = "recoup-soon"
    LATER = "recoup-later"


class Bell:
    """Rings workers. `url` names Redis or Valkey; no connection is made before the first ring."""

    def __init__(self, url: str) -> None:
        self.redis: Redis = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)

    def ring(self, job: str, *arguments: str | Sequence[Sequence[str]], urgency: Urgency = Urgency.SOON) -> bool:
        """Ask a worker to run `workers.jobs.<job>` with these ids. False when Redis could not be reached."""
        try:
            Queue(urgency, connection=self.redis).enqueue(
                f"workers.jobs.{job}", *arguments, result_ttl=0, failure_ttl=3600, job_timeout=120
            )
        except (RedisError, OSError) as problem:
            log.warning("bell.unheard", job=job, problem=type(problem).__name__)
            return False
        return True

    def is_first(self, mark: str, forgotten_after_ms: int) -> bool:
        """Leave `mark` unless it stands already; False when it does, or when Redis is away."""
        try:
            return bool(self.redis.set(mark, 1, nx=True, px=forgotten_after_ms))
        except (RedisError, OSError):
            return False

    def forget(self, mark: str) -> None:
        """Take a mark away; nothing where Redis is away."""
        try:
            self.redis.delete(mark)
        except (RedisError, OSError):
            return

    def waiting(self) -> int:
        """How many jobs wait to be heard; none when Redis is away, because then nothing is known to wait."""
        try:
            return sum(Queue(urgency, connection=self.redis).count for urgency in Urgency)
        except (RedisError, OSError):
            return 0

    def is_silent(self) -> bool:
        """Whether no job waits or is being done; True as well when Redis is away and nothing can be known."""
        try:
            queues = [Queue(urgency, connection=self.redis) for urgency in Urgency]
            doing = sum(queue.started_job_registry.get_job_count(cleanup=False) for queue in queues)
            return not doing and not self.waiting()
        except (RedisError, OSError):
            return True

    def is_reachable(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(self.redis.ping())
        except (RedisError, OSError):
            return False
