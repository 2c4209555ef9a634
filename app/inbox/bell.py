"""The inbox's bell says "there is something": a burst of a thousand webhooks is a job or two, not a thousand."""

from redis.exceptions import RedisError

from app.bell import Bell, Urgency

_RUNG = "recoup:inbox:rung"
_FORGOTTEN_AFTER_MS = 2000


def ring_inbox(bell: Bell) -> None:
    """Ring unless a ring is waiting to be heard already."""
    try:
        is_first = bell.redis.set(_RUNG, 1, nx=True, px=_FORGOTTEN_AFTER_MS)
    except (RedisError, OSError):
        return
    if is_first:
        bell.ring("drain_inbox", urgency=Urgency.NOW)


def heard(bell: Bell) -> None:
    """A worker has begun: whatever comes from now on must ring again."""
    try:
        bell.redis.delete(_RUNG)
    except (RedisError, OSError):
        return
