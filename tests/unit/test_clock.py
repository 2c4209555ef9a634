"""The clock that can be turned: shared by every process of a sandbox, and forward only."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from app.clock import ClockWouldRunBack, SandboxClock, SystemClock

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "clock.json"


def test_the_wall_is_read_as_an_aware_moment_in_utc() -> None:
    with time_machine.travel(NOON, tick=False):
        assert SystemClock().now() == NOON
        assert SystemClock().now().tzinfo is UTC


def test_a_clock_that_was_never_turned_shows_the_wall(file: Path) -> None:
    with time_machine.travel(NOON, tick=False):
        assert SandboxClock(file).now() == NOON


def test_turning_one_clock_turns_every_clock_on_the_same_file(file: Path) -> None:
    ours, theirs = SandboxClock(file), SandboxClock(file)
    with time_machine.travel(NOON, tick=False) as wall:
        assert theirs.now() == NOON
        ours.turn_to(NOON + timedelta(days=3))
        assert theirs.now() == ours.now() == NOON + timedelta(days=3)
        wall.shift(timedelta(hours=1))
        assert theirs.now() == NOON + timedelta(days=3, hours=1), "turned time goes on like any other"


def test_a_process_that_starts_later_finds_the_clock_as_it_was_turned(file: Path) -> None:
    with time_machine.travel(NOON, tick=False):
        SandboxClock(file).turn_to(NOON + timedelta(days=30))
        assert SandboxClock(file).now() == NOON + timedelta(days=30)


def test_the_clock_does_not_run_back(file: Path) -> None:
    clock = SandboxClock(file)
    with time_machine.travel(NOON, tick=False):
        clock.turn_to(NOON + timedelta(days=3))
        with pytest.raises(ClockWouldRunBack):
            clock.turn_to(NOON + timedelta(days=2))
        assert clock.now() == NOON + timedelta(days=3)


def test_a_moment_that_has_only_just_passed_leaves_the_clock_where_it_is(file: Path) -> None:
    clock = SandboxClock(file)
    with time_machine.travel(NOON, tick=False):
        clock.turn_to(NOON + timedelta(days=3))
        clock.turn_to(NOON + timedelta(days=3) - timedelta(milliseconds=500))
        assert clock.now() == NOON + timedelta(days=3)


def test_nothing_is_left_beside_the_file(file: Path) -> None:
    for day in range(1, 4):
        SandboxClock(file).turn_to(datetime.now(UTC) + timedelta(days=day))
    assert [found.name for found in file.parent.iterdir()] == ["clock.json"]
