"""The clock process: a round of sweeping every half second until it is told to stop. Several may run side by side."""

import signal
import threading
from types import FrameType

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.context import Context
from app.log import get_logger
from workers.sweeping import sweep_once

log = get_logger(__name__)
ROUND = 0.5  # seconds
AFTER_TROUBLE = 2.0  # seconds


def run(context: Context) -> None:
    """Sweep until SIGTERM or SIGINT."""
    ending = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while not ending.is_set():
        ending.wait(_round(context))


def _round(context: Context) -> float:
    """One round; how long to wait before the next. More rings than none means more may be due already."""
    try:
        return 0.05 if sweep_once(context) else ROUND
    except (SQLAlchemyError, RedisError, OSError) as problem:
        log.warning("clock.round_failed", problem=type(problem).__name__)
        return AFTER_TROUBLE
