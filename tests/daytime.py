"""The hour at which a rehearsed installation begins, whatever hour it is where the tests are run."""

from datetime import timedelta

from app.clock import SandboxClock
from app.settings import Settings


def begin_by_day(settings: Settings) -> None:
    """Turn the clock to 15:00 UTC tomorrow, which is day in Europe and America, so that no story's mails wait for the
    end of somebody's night because of the hour at which the tests are run."""
    clock = SandboxClock(settings.home / "clock.json")
    tomorrow = (clock.now() + timedelta(days=1)).replace(hour=15, minute=0, second=0, microsecond=0)
    clock.turn_to(tomorrow)
