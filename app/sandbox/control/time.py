"""The clock: reading it, and turning it forward so that everything in between happens in order and at its moment."""

from collections.abc import Iterable
from datetime import UTC, datetime

from flask import Blueprint

from app.sandbox.billing import timers
from app.sandbox.control.desk import Desk, asked, view
from app.sandbox.control.wishes import ClockWish
from app.sandbox.periods import moment
from app.sandbox.store import Doc
from app.sandbox.webhooks import next_delivery_due
from app.sandbox.world import World


def blueprint(desk: Desk) -> Blueprint:
    """The routes under `/_sandbox/clock`."""
    routes = Blueprint("control_time", __name__, url_prefix="/_sandbox")

    def read() -> Doc:
        return reading(desk)

    def turn() -> Doc:
        wish = asked(ClockWish)
        advance(desk, wish.to.astimezone(UTC), wish.settle_seconds)
        return reading(desk)

    routes.add_url_rule("/clock", "read", view(read), methods=["GET"])
    routes.add_url_rule("/clock", "turn", view(turn), methods=["POST"])
    return routes


def reading(desk: Desk) -> Doc:
    """Now, the next moment at which something happens by itself, and how much is under way: webhooks that are due in
    all accounts, and customers who sit at their mail.
    """
    under_way, worlds = desk.under_way(), desk.accounts.all()
    coming = _next_moment(worlds)
    return {
        "now": worlds[0].clock.now().isoformat(),
        "next_event_at": None if coming is None else moment(coming).isoformat(),
        "pending_deliveries": under_way,
    }


def advance(desk: Desk, to: datetime, settle_seconds: float) -> None:
    """Turn the clock to `to`, stopping at every moment in between at which something is due.

    At each stop due webhooks are given up to `settle_seconds` real seconds to be delivered before time goes on, so
    that a receiver sees them at their moment. Raises `ClockWouldRunBack` for a moment that has passed.
    """
    worlds = desk.accounts.all()
    while (due := _next_moment(worlds)) is not None and due <= to.timestamp():
        _arrive(worlds, due)
        if not desk.settle(settle_seconds):
            break
    _finish(worlds, to)


def _finish(worlds: list[World], to: datetime) -> None:
    """Whatever a slow receiver left behind is run at its own moment all the same."""
    while (due := _earliest(world.next_due() for world in worlds)) is not None and due <= to.timestamp():
        _arrive(worlds, due)
    worlds[0].clock.turn_to(to)
    for world in worlds:
        world.bell.set()


def _arrive(worlds: list[World], due: int) -> None:
    """Turn the one clock of all accounts to a moment, and let happen what is due in each."""
    if due > worlds[0].now():
        worlds[0].clock.turn_to(moment(due))
    for world in worlds:
        timers.run_due(world, due)


def _next_moment(worlds: list[World]) -> int | None:
    return _earliest(due for world in worlds for due in (world.next_due(), next_delivery_due(world)))


def _earliest(moments: Iterable[int | None]) -> int | None:
    return min((due for due in moments if due is not None), default=None)
