"""Moves test clocks that were asked to advance: everything due on them happens in order, then they are ready.

Where a clock is going stands in its document, so one that was killed on its way goes on after a restart.
"""

from app.log import get_logger
from app.sandbox.billing import timers
from app.sandbox.store import Doc, Search
from app.sandbox.test_clocks import KIND
from app.sandbox.world import World

log = get_logger(__name__)


def run(world: World) -> int:
    """Bring every advancing clock to where it is going; returns how many clocks were moved."""
    moving, _ = world.store.search(KIND, Search(equal={"status": "advancing"}, limit=100))
    for clock in moving:
        _move(world, clock)
    return len(moving)


def _move(world: World, clock: Doc) -> None:
    target = clock["status_details"]["advancing"]["target_frozen_time"]
    try:
        timers.run_due(world, target, clock["id"])
    except Exception:
        log.exception("sandbox.test_clock_failed", clock=clock["id"])
        _arrive(world, clock, "internal_failure", clock["frozen_time"])
        return
    _arrive(world, clock, "ready", target)


def _arrive(world: World, clock: Doc, status: str, moment: int) -> None:
    with world.transaction() as ledger:
        doc = ledger.get(KIND, clock["id"])
        doc.update(status=status, status_details={}, frozen_time=moment)
        ledger.save(doc)
        ledger.emit(f"{KIND}.{status}", doc)
