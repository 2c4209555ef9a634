"""The servers that a test process keeps: pretend Stripe, web, and pools to its database.

Their routes, templates and compiled statements cost some 200 ms to make and hold nothing of a test's. What does belong
to one test (rows, the sandbox's file, clock, faults, keys, folders) is put in before it and taken out after it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import requests
from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from app import create_app
from app.clock import SandboxClock
from app.context import Context, make_context
from app.db import Database
from app.sandbox.background import Background
from app.sandbox.server import RunningSandbox, run_in_thread
from app.sandbox.store import Store
from app.sandbox.webhooks import Postman
from app.sandbox.world import DATABASE
from app.settings import Settings


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@dataclass(frozen=True)
class House:
    """Running servers, empty between tests."""

    pools: Database
    sandbox: RunningSandbox
    postman: Postman
    web: BaseWSGIServer
    program: Flask
    furniture: dict[str, Any]  # the program's extensions as they came; what one test's requests add is gone in the next

    @property
    def url(self) -> str:
        """Where the web program answers."""
        return f"http://127.0.0.1:{self.web.server_port}"

    @contextmanager
    def context(self, settings: Settings, stripe_api_base: str) -> Iterator[Context]:
        """The web program serves an installation with these settings and nothing stored in Valkey."""
        settings = settings.model_copy(update={"stripe_api_base": stripe_api_base, "public_url": self.url})
        made = replace(make_context(settings), database=self.pools)
        made.bell.redis.flushdb()
        self.program.extensions = {**self.furniture, "recoup": made}
        try:
            yield made
        finally:
            self.program.extensions = dict(self.furniture)  # a late webhook may still come, and leave something here
            made.bell.redis.close()

    @contextmanager
    def stripe(self, settings: Settings) -> Iterator[RunningSandbox]:
        """The sandbox serves the file and the clock of this home, without faults."""
        settings.home.mkdir(parents=True, exist_ok=True)
        world = self.sandbox.world
        world.store.close()
        world.store, world.clock = Store(settings.home / DATABASE), SandboxClock(settings.home / "clock.json")
        requests.delete(f"{self.sandbox.url}/_sandbox/faults", timeout=10).raise_for_status()
        background = self.sandbox.app.extensions["sandbox"] = Background(world, self.postman)
        background.start()
        try:
            yield self.sandbox
        finally:
            background.stop()


@contextmanager
def open_house(settings: Settings, pools: Database) -> Iterator[House]:
    """Build it, with `settings` for whoever asks while no test is in it."""
    sandbox = run_in_thread(settings.home, SandboxClock(settings.home / "clock.json"))
    background: Background = sandbox.app.extensions["sandbox"]
    background.stop()
    sandbox.app.extensions["sandbox_people"].stop()  # nobody here reads mail, and their file changes under their hands
    postman = background._postman
    assert postman is not None
    web = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    context = make_context(settings.model_copy(update={"public_url": f"http://127.0.0.1:{web.server_port}"}))
    web.app = program = create_app(context)
    thread.start()
    try:
        yield House(pools, sandbox, postman, web, program, dict(program.extensions))
    finally:
        sandbox.stop()
        web.shutdown()
        thread.join(timeout=15)
        web.server_close()
        context.database.dispose()
        context.bell.redis.close()
