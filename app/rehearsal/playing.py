"""The play itself: the clock goes from one moment to the next at which anybody has something to do.

Moments that lie close together are taken at once, as a busy worker would; a rehearsal's day then has a few dozen stops
instead of hundreds. Knows who acts, not what they do.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from app.context import Context
from app.recovery.coming import is_at_rest, next_moment
from app.rehearsal.errors import RehearsalFailed
from app.rehearsal.orders import Order
from app.rehearsal.people import Resident, fail_due, move_in
from app.rehearsal.stage import Stage, connect_stage
from app.sandbox.billing import timers
from app.sandbox.webhooks import due_deliveries

TOGETHER = timedelta(minutes=30)  # what is due within this much of a stop is done at it
_ROUNDS = 200
_DELIVERED_WITHIN = 30.0  # real seconds
_LOOK = 0.002

Sweep = Callable[[Context], int]


def play(stage: Stage, order: Order, sweep: Sweep, say: Callable[[float], None]) -> list[Resident]:
    """Play the whole order; `sweep` looks for what is due and rings, `say` hears the share that is over (0 to 1).

    Raises `RehearsalFailed` when the stage does not come to rest, and whatever `say` raises.
    """
    residents = move_in(stage, order)
    connect_stage(stage, order)
    ends = order.begins + timedelta(days=order.days)
    while (coming := _next(stage, residents, ends)) is not None:
        _turn(stage, coming)
        fail_due(stage, residents, coming)
        settle(stage, sweep)
        say((coming - order.begins) / (ends - order.begins))
    return residents


def settle(stage: Stage, sweep: Sweep) -> None:
    """Let webhooks arrive, customers finish what they do at their mail, and everything due be done, until nothing is
    left. Sweeps once, and again only where something is left behind.
    """
    has_swept = False
    for _ in range(_ROUNDS):
        _bring(stage)
        stage.bell.work_off()
        if _is_under_way(stage):
            continue
        if has_swept and is_at_rest(stage.context):
            return
        sweep(stage.context)
        stage.bell.work_off()
        has_swept = True
    raise RehearsalFailed("the rehearsal does not come to rest: something is due again and again")


def _bring(stage: Stage) -> None:
    """Webhooks to us, mails to their readers, and readers to the pages that they press for."""
    _deliver(stage)
    while _at_their_mail(stage):
        stage.people.walk_ready()
        _deliver(stage)


def _is_under_way(stage: Stage) -> bool:
    """Whether a bell has rung, a webhook should have arrived, or a mail waits for its reader."""
    return bool(stage.bell.waiting() or due_deliveries(stage.world) or _at_their_mail(stage))


def _at_their_mail(stage: Stage) -> int:
    stage.people.collect()
    return stage.people.waiting()


def _turn(stage: Stage, to: datetime) -> None:
    stage.clock.turn_to(to)
    timers.run_due(stage.world, int(to.timestamp()))


def _next(stage: Stage, residents: list[Resident], ends: datetime) -> datetime | None:
    """The next stop: as late as the first thing due allows. None when time is over."""
    theirs = stage.world.next_due()
    coming = [
        next_moment(stage.context),
        datetime.fromtimestamp(theirs, ends.tzinfo) if theirs is not None else None,
        next((one.fails_at for one in residents if not one.has_failed), None),
    ]
    first = min((moment for moment in coming if moment is not None), default=ends)
    if first >= ends:
        return None
    return max(min(first + TOGETHER, ends), stage.clock.now())


def _deliver(stage: Stage) -> None:
    """Wait for the postman, who carries out what is due in a thread of his own."""
    waited = threading.Event()
    stage.world.bell.set()
    for _ in range(int(_DELIVERED_WITHIN / _LOOK)):
        if not due_deliveries(stage.world):
            return
        waited.wait(_LOOK)
    raise RehearsalFailed("webhooks of the rehearsal are not taken in")
