"""The clock: reading it, and turning it forward so that everything in between happens in order and at its moment."""

from datetime import UTC, datetime

from flask import Blueprint

from app.sandbox.billing import timers
from app.sandbox.control.desk import Desk, asked, view
from app.sandbox.control.wishes import ClockWish
from app.sandbox.periods import moment
from app.sandbox.store import Doc
from app.sandbox.webhooks import due_deliveries, next_delivery_due
from app.sandbox.world import World


def blueprint(desk: Desk) -> Blueprint:
    """The routes under `/_sandbox/clock`."""
    routes = Blueprint("control_time", __name__, url_prefix="/_sandbox")

    def read() -> Doc:
        return reading(desk.world)

    def turn() -> Doc:
        wish = asked(ClockWish)
        advance(desk, wish.to.astimezone(UTC), wish.settle_seconds)
        return reading(desk.world)

    routes.add_url_rule("/clock", "read", view(read), methods=["GET"])
    routes.add_url_rule("/clock", "turn", view(turn), methods=["POST"])
    return routes


def reading(world: World) -> Doc:
    """Now, the next moment at which something happens by itself, and how many webhooks are due."""
    coming = _next_moment(world)
    return {
        "now": world.clock.now().isoformat(),
        "next_event_at": None if coming is None else moment(coming).isoformat(),
        "pending_deliveries": due_deliveries(world),
    }


def advance(desk: Desk, to: datetime, settle_seconds: float) -> None:
    """Turn the clock to `to`, stopping at every moment in between at which something is due.

    At each stop due webhooks are given up to `settle_seconds` real seconds to be delivered before time goes on, so
    that a receiver sees them at their moment. Raises `ClockWouldRunBack` for a moment that has passed.
    """
    world = desk.world
    while (due := _next_moment(world)) is not None and due <= to.timestamp():
        if due > world.now():
            world.clock.turn_to(moment(due))
        timers.run_due(world, due)
        if not desk.settle(settle_seconds):
            break
    _finish(world, to)


def _finish(world: World, to: datetime) -> None:
    """Whatever a slow receiver left behind is run at its own moment all the same."""
    while (due := world.next_due()) is not None and due <= to.timestamp():
        if due > world.now():
            world.clock.turn_to(moment(due))
        timers.run_due(world, due)
    world.clock.turn_to(to)
    world.bell.set()


def _next_moment(world: World) -> int | None:
    return min((due for due in (world.next_due(), next_delivery_due(world)) if due is not None), default=None)
