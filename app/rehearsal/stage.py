"""A whole Recoup for one rehearsal in one process: sandbox and web over real HTTP, jobs through a bell of its own.

What it is opened with decides what it can reach: a private schema, a folder, no mail provider, a pretend Stripe.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from uuid import UUID

from flask import Flask
from sqlalchemy import select
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.test import run_wsgi_app

from app.accounts.connections import connect
from app.accounts.users import create_organization
from app.context import Context
from app.crypto import KeyRing, generate_key
from app.db import Database
from app.models import MailWording, Organization, RetryKnowledge
from app.recovery.campaigns import add_version
from app.rehearsal.bell import NOWHERE, StageBell
from app.rehearsal.orders import Order
from app.rehearsal.time import StageClock
from app.sandbox.people.walking import People
from app.sandbox.server import Owner, RunningSandbox, run_in_thread
from app.sandbox.world import World
from app.settings import Settings

Program = Callable[[Context], Flask]

SANDBOX_KEY = "rk_test_sandbox"
BY = "rehearsal"
_HOST = "127.0.0.1"
# Everything that leads out of this process, shut.
_SHUT = {
    "sendgrid_api_key": None,
    "sendgrid_webhook_key": None,
    "smtp_url": None,
    "redis_url": NOWHERE,
    "sandbox": True,
    "trusted_proxies": 1,  # so that each invented customer may have an address of their own
}


@dataclass(frozen=True)
class Stage:
    """What is played on. `world` is the sandbox's inside, `people` are its customers at their mail."""

    context: Context
    clock: StageClock
    bell: StageBell
    world: World
    people: People
    organization_id: UUID


class _Lasting(WSGIRequestHandler):
    """Keeps connections open, because requests come by the thousand; says nothing of them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body of an answer leave in two pieces
    wbufsize = -1

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return

    def run_wsgi(self) -> None:
        # Werkzeug's own closes the connection after each answer, for fear of what a program left unread of a request.
        # Here it is read first, and whole.
        environ = self.make_environ()
        environ["wsgi.input"] = BytesIO(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))
        parts, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        body = b"".join(parts)
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def open_stage(order: Order, bell: StageBell, program: Program, database_url: str, home: Path) -> Iterator[Stage]:
    """Set it: the organization with the one campaign, nobody in it yet, and Stripe not connected. See `connect_stage`.

    `program` makes the web program over a context. `database_url` leads into a room (`rooms.open_room`), `home` is a
    folder that is thrown away afterwards.
    """
    clock = StageClock(order.begins)
    with ExitStack() as stack:
        sandbox = _sandbox(stack, home, clock)
        server = make_server(_HOST, 0, lambda _environ, _start: [], threaded=True, request_handler=_Lasting)
        stack.callback(server.server_close)
        settings = _settings(database_url, home, sandbox.url, f"http://{_HOST}:{server.server_port}")
        database = Database(settings.require("database_url"), pool_size=4, pre_ping=False)
        stack.callback(database.dispose)
        context = Context(settings, clock, database, bell, KeyRing.parse(settings.require("encryption_keys")))
        _serve(stack, server, program(context))
        people = sandbox.app.extensions["sandbox_people"]
        yield Stage(context, clock, bell, sandbox.world, people, _organization(context, order))


def connect_stage(stage: Stage, order: Order) -> None:
    """Connect the organization to the pretend Stripe: from here on everything that happens there is announced."""
    connect(
        stage.context,
        stage.organization_id,
        api_key=SANDBOX_KEY,
        webhook_secret=None,
        mode=order.connection_mode,
        actor=BY,
    )


def _sandbox(stack: ExitStack, home: Path, clock: StageClock) -> RunningSandbox:
    sandbox = run_in_thread(home, clock, owner=Owner(mailbox=home / "outbox"))
    sandbox.server.RequestHandlerClass = _Lasting
    stack.callback(sandbox.stop)
    return sandbox


def _serve(stack: ExitStack, server: BaseWSGIServer, program: Flask) -> None:
    server.app = program
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    stack.callback(thread.join, timeout=15)
    stack.callback(server.shutdown)


def _settings(database_url: str, home: Path, stripe: str, public_url: str) -> Settings:
    return Settings(_env_file=None).model_copy(
        update={
            **_SHUT,
            "database_url": database_url,
            "home": home,
            "stripe_api_base": stripe,
            "public_url": public_url,
            "secret_key": secrets.token_urlsafe(32),
            "encryption_keys": generate_key(BY),
        }
    )


def _organization(context: Context, order: Order) -> UUID:
    now = context.clock.now()
    with context.database.system() as session:
        made = create_organization(session, str(order.organization["slug"]), str(order.organization["name"]), now)
        session.flush()
        organization_id = made.id
    with context.database.organization(organization_id) as session:
        row = session.scalars(select(Organization)).one()
        for column, value in order.organization.items():
            setattr(row, column, value)
        add_version(
            session,
            slug=order.slug,
            name=order.campaign,
            definition=order.content,
            is_default=True,
            now=now,
            by=BY,
        )
        session.add_all(
            MailWording(
                organization_id=organization_id, language=language, key=key, text=text, changed_at=now, changed_by=BY
            )
            for language, texts in order.wordings.items()
            for key, text in texts.items()
        )
        if order.knowledge:
            session.add(RetryKnowledge(organization_id=organization_id, learnt_at=now, **order.knowledge))
    return organization_id
