"""The inbox's bell says "there is something": a burst of a thousand webhooks is a job or two, not a thousand."""

from app.bell import Bell, Urgency

_RUNG = "recoup:inbox:rung"
_FORGOTTEN_AFTER_MS = 2000


def ring_inbox(bell: Bell) -> None:
    """Ring unless a ring is waiting to be heard already."""
    if bell.is_first(_RUNG, _FORGOTTEN_AFTER_MS):
        bell.ring("drain_inbox", urgency=Urgency.NOW)


def heard(bell: Bell) -> None:
    """A worker has begun: whatever comes from now on must ring again."""
    bell.forget(_RUNG)
