"""The clock process: a round of sweeping every half second until it is told to stop. Several may run side by side.

Every quarter of a minute, and first of all at its start, it also looks whether a long errand is due.
"""

import signal
import threading
import time
from datetime import timedelta
from types import FrameType

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.context import Context
from app.inbox.errands.upkeep import EVERY
from app.log import get_logger
from workers.sweeping import ring_upkeep, sweep_once

log = get_logger(__name__)
ROUND = 0.5  # seconds
AFTER_TROUBLE = 2.0  # seconds
UPKEEP = 15.0  # seconds of the machine's own clock: turning the sandbox's need not set off a look for every hour of it
AT_START = timedelta(minutes=5)  # a look for what was missed is due at the start unless one began this recently


def run(context: Context) -> None:
    """Sweep until SIGTERM or SIGINT."""
    ending = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    next_upkeep = _upkeep(context, AT_START)
    while not ending.is_set():
        ending.wait(_round(context))
        if time.monotonic() >= next_upkeep:
            next_upkeep = _upkeep(context)


def _upkeep(context: Context, every: timedelta = EVERY) -> float:
    """Look after long errands; when to do so again, on the machine's clock."""
    try:
        ring_upkeep(context, every)
    except (SQLAlchemyError, RedisError, OSError) as problem:
        log.warning("clock.upkeep_failed", problem=type(problem).__name__)
    return time.monotonic() + UPKEEP


def _round(context: Context) -> float:
    """One round; how long to wait before the next. More rings than none means more may be due already."""
    try:
        return 0.05 if sweep_once(context) else ROUND
    except (SQLAlchemyError, RedisError, OSError) as problem:
        log.warning("clock.round_failed", problem=type(problem).__name__)
        return AFTER_TROUBLE
