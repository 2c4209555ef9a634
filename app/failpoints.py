"""Named places where a process may be made to die, so that crash safety is tested and not promised.

`RECOUP_FAILPOINT=charge.intention_committed` kills the process with SIGKILL the first time it comes by that place;
`…@3` the third time. Unset, a failpoint costs one dictionary look-up. `FAILPOINTS` is the whole list: a place that is
not on it cannot be passed, and the fault suite walks it.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from app.errors import RecoupError

Answer = TypeVar("Answer")
REQUEST_LEAVES_WITHIN = 0.4  # seconds

FAILPOINTS = (
    "webhook.before_commit",
    "webhook.after_commit",
    "event.before_handling",
    "event.after_reading",
    "event.before_commit",
    "event.after_commit",
    "sweep.before_claim",
    "sweep.after_claim",
    "step.begun",
    "handover.asked",
    "charge.before_intention",
    "charge.intention_committed",
    "charge.request_left",
    "charge.answered",
    "charge.outcome_uncommitted",
    "charge.outcome_committed",
    "message.planned",
    "message.intention_committed",
    "message.request_left",
    "message.answered",
    "message.outcome_uncommitted",
    "message.outcome_committed",
    "final_action.intention_committed",
    "final_action.answered",
    "final_action.outcome_uncommitted",
    "card_change.before_defaults",
    "card_change.after_defaults",
    "errand.page_uncommitted",
    "errand.page_committed",
    "errand.before_repair",
    "errand.after_repair",
)

_passed: dict[str, int] = {}


class FailpointUnknown(RecoupError):
    """The code or the environment names a failpoint that is not on the list."""


def failpoint(name: str) -> None:
    """Die here by SIGKILL if the environment says so."""
    if name not in FAILPOINTS:
        raise FailpointUnknown(name)
    armed = os.environ.get("RECOUP_FAILPOINT")
    if armed and is_next(name, armed):
        os.kill(os.getpid(), signal.SIGKILL)


def failpoint_during(name: str, call: Callable[[], Answer]) -> Answer:
    """Make `call`; if the environment says so, die once its request has left and before its answer is read."""
    if name not in FAILPOINTS:
        raise FailpointUnknown(name)
    armed = os.environ.get("RECOUP_FAILPOINT")
    if armed and is_next(name, armed):
        threading.Thread(target=call, daemon=True).start()
        time.sleep(REQUEST_LEAVES_WITHIN)
        os.kill(os.getpid(), signal.SIGKILL)
    return call()


def is_next(name: str, armed: str) -> bool:
    """Count one passage of `name`; true when `armed` (a name, or name@count) means this one."""
    wanted, _, count = armed.partition("@")
    if wanted not in FAILPOINTS:
        raise FailpointUnknown(wanted)
    if wanted != name:
        return False
    _passed[name] = _passed.get(name, 0) + 1
    return _passed[name] == int(count or 1)
