"""The doorbell without a door: Redis may be away, and nobody who rings is hindered by it."""

import pytest

from app.bell import Bell, Urgency

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize("urgency", Urgency)
def test_a_bell_that_nobody_can_hear_is_said_so_and_raises_nothing(urgency: Urgency) -> None:
    assert Bell(NOWHERE).ring("run_steps", [["organization", "step", "token"]], urgency=urgency) is False


def test_where_redis_is_away_nothing_is_known_to_wait() -> None:
    bell = Bell(NOWHERE)
    assert bell.waiting() == 0
    assert bell.is_reachable() is False
