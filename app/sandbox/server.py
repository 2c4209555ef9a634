"""Puts the sandbox together: a Flask application, its background thread, and ways to run both."""

import threading
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from app.clock import SandboxClock
from app.log import get_logger
from app.sandbox.background import Background
from app.sandbox.connect import Accounts, Stop
from app.sandbox.control import access, books, samples
from app.sandbox.control import customers as control_customers
from app.sandbox.control import faults as control_faults
from app.sandbox.control import invoices as control_invoices
from app.sandbox.control import people as control_people
from app.sandbox.control import stories as control_stories
from app.sandbox.control import time as control_time
from app.sandbox.control.desk import Desk
from app.sandbox.desk_pages import blueprint as desk_pages
from app.sandbox.desk_pages.rendering import Pages, guard
from app.sandbox.desk_pages.turner import Turner
from app.sandbox.door import Door, Route
from app.sandbox.faults import Faults
from app.sandbox.pages import views
from app.sandbox.people.walking import People
from app.sandbox.rate_limits import RateLimits
from app.sandbox.resources import (
    accounts as account_resource,
)
from app.sandbox.resources import (
    balance_transactions,
    checkout_sessions,
    coupons,
    credit_notes,
    customers,
    event_destinations,
    events,
    invoiceitems,
    invoices,
    payment_methods,
    payments,
    portal_sessions,
    previews,
    prices,
    products,
    reversals,
    schedules,
    searches,
    setup_intents,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)
from app.sandbox.webhooks import Postman
from app.sandbox.world import World

HOST = "127.0.0.1"
LARGEST_BODY = 1_000_000

log = get_logger(__name__)

_RESOURCES = (
    account_resource,
    balance_transactions,
    checkout_sessions,
    coupons,
    credit_notes,
    customers,
    event_destinations,
    events,
    invoiceitems,
    invoices,
    payment_methods,
    payments,
    portal_sessions,
    previews,
    prices,
    products,
    reversals,
    schedules,
    searches,
    setup_intents,
    subscriptions,
    test_clocks,
    webhook_endpoints,
)

_CONTROLS = (
    access,
    control_time,
    control_customers,
    control_invoices,
    control_faults,
    control_people,
    control_stories,
    books,
    samples,
)


@dataclass(frozen=True)
class Owner:
    """The program that a sandbox belongs to: the command that turns its clock (before the span), its console, and the
    folder of the mails that it sends.
    """

    turn_command: tuple[str, ...] = ()
    console_url: str | None = None
    mailbox: Path | None = None


def routes() -> list[Route]:
    """Every API request that the sandbox answers."""
    return [route for resource in _RESOURCES for route in resource.ROUTES]


def create_sandbox(
    home: Path,
    clock: SandboxClock,
    deliver: bool = True,
    base_url: str = f"http://{HOST}:8010",
    owner: Owner | None = None,
) -> Flask:
    """The application over `home`/sandbox.db. With `deliver` its background thread runs due billing and sends webhooks.

    `base_url` is where people reach its pages, `owner` the program that it belongs to. `app.extensions["sandbox"]`
    holds the `Background`, to be stopped at the end.
    """
    world = World(home, clock, base_url)
    faults = Faults(world.now)

    def attend(opened: World) -> Stop:
        hand = Background(opened, Postman(opened, faults))
        hand.start()
        return hand.stop

    accounts, limits = Accounts(world, attend if deliver else None), RateLimits()
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    door = Door(accounts, faults, limits)
    for method, rule, handler in routes():
        app.add_url_rule(
            rule, f"{method} {rule}", door.view(handler), methods=[method], provide_automatic_options=False
        )
    belongs_to = owner or Owner()
    people = People(world, belongs_to.mailbox, [belongs_to.console_url] if belongs_to.console_url else [])
    desk = Desk(accounts, faults, limits, people, deliver)
    for control in _CONTROLS:
        asked = control.blueprint(desk)
        asked.before_request(guard)
        app.register_blueprint(asked)
    app.register_blueprint(views.blueprint(world))
    app.register_blueprint(
        desk_pages.blueprint(Pages(desk, Turner(desk, belongs_to.turn_command), belongs_to.console_url))
    )

    @app.errorhandler(404)
    @app.errorhandler(405)
    def unknown(_problem: HTTPException) -> Response:
        return door.unknown_url()

    @app.errorhandler(500)
    def broken(_problem: Exception) -> Response:
        return door.broken()

    background = Background(world, Postman(world, faults) if deliver else None)
    app.extensions["sandbox"] = background
    app.extensions["sandbox_world"] = world
    app.extensions["sandbox_accounts"] = accounts
    app.extensions["sandbox_people"] = people
    if deliver:
        background.start()
        people.start()
        accounts.all()  # opens those of an earlier run, and attends to them
    return app


class _QuietHandler(WSGIRequestHandler):
    """Serves without a line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


def serve(home: Path, clock: SandboxClock, port: int, owner: Owner | None = None) -> tuple[BaseWSGIServer, Flask]:
    """A bound server on loopback (port 0: any free one) and its application; the caller runs `serve_forever`."""
    server = make_server(HOST, port, lambda _environ, _start: [], threaded=True, request_handler=_QuietHandler)
    app = create_sandbox(home, clock, base_url=f"http://{HOST}:{server.server_port}", owner=owner)
    server.app = app
    return server, app


@dataclass
class RunningSandbox:
    """A sandbox in a thread of this process."""

    url: str
    app: Flask
    server: BaseWSGIServer
    thread: threading.Thread

    @property
    def world(self) -> World:
        """Its inside, for tests of its own."""
        world: World = self.app.extensions["sandbox_world"]
        return world

    def stop(self) -> None:
        """Stop serving and delivering, and close the file."""
        self.server.shutdown()
        self.thread.join(timeout=15)
        shut(self.server, self.app)


def shut(server: BaseWSGIServer, app: Flask) -> None:
    """Close what `serve` opened, after `serve_forever` has returned."""
    server.server_close()
    app.extensions["sandbox_people"].stop()
    app.extensions["sandbox"].stop()
    app.extensions["sandbox_accounts"].close()
    app.extensions["sandbox_world"].store.close()


def run_in_thread(home: Path, clock: SandboxClock, port: int = 0, owner: Owner | None = None) -> RunningSandbox:
    """Serve from a thread, for tests."""
    server, app = serve(home, clock, port, owner)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox-http", daemon=True
    )
    thread.start()
    return RunningSandbox(f"http://{HOST}:{server.server_port}", app, server, thread)
