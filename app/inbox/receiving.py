"""`POST /webhooks/stripe/<connection>`: verify, insert or ignore, ring, answer. No rule and no outgoing call.

The answer is 200 only once the event is committed. When Postgres is away it is 500, and Stripe comes back for days.
It stands before Flask, because what Flask does for a page (routing, session, the headers of a page) costs more than
all that is done here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_input_stream

from app.context import Context
from app.failpoints import failpoint
from app.inbox.bell import ring_inbox
from app.inbox.envelope import Envelope, EventUnreadable, compress, read_envelope
from app.inbox.keeping import Keeper, NotKept, row_of
from app.inbox.secrets import Door, Doors
from app.log import get_logger
from app.stripe_gateway.webhooks import SignatureInvalid, verify

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = get_logger(__name__)
PLACE = "/webhooks/stripe/"
MAX_BODY = 1024 * 1024
RECEPTION = "recoup.inbox"


@dataclass(frozen=True)
class Answer:
    """What Stripe is told."""

    status: str
    words: str

    def send(self, start_response: "StartResponse") -> list[bytes]:
        """Say it to the server that asked."""
        body = f"{self.words}\n".encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        start_response(self.status, [*headers, ("X-Content-Type-Options", "nosniff")])
        return [body]


KEPT = Answer("200 OK", "kept")
UNKNOWN = Answer("404 Not Found", "no such connection")
NOT_POSTED = Answer("405 Method Not Allowed", "events are posted here")
TOO_LARGE = Answer("413 Content Too Large", "the body is larger than an event can be")
CUT_OFF = Answer("400 Bad Request", "the body did not come whole")
AWAY = Answer("500 Internal Server Error", "the event could not be stored; send it again")
refused = partial(Answer, "400 Bad Request")


class StripeWebhooks:
    """The receiver on its address, in front of the rest of `app`."""

    def __init__(self, app: Flask, behind: "WSGIApplication") -> None:
        self._app = app
        self._behind = behind

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer what is posted to us; what is not ours goes to the program behind."""
        path: str = environ["PATH_INFO"]
        if not path.startswith(PLACE):
            return self._behind(environ, start_response)
        return self._receive(path.removeprefix(PLACE), environ).send(start_response)

    def _receive(self, address: str, environ: "WSGIEnvironment") -> Answer:
        connection_id = _connection_id(address)
        if connection_id is None:
            return UNKNOWN
        if environ["REQUEST_METHOD"] != "POST":
            return NOT_POSTED
        reception = self._reception()
        try:
            door = reception.door(connection_id)  # first: for a stranger's body, however slow, nobody waits
            body = b"" if door is None else get_input_stream(environ).read(MAX_BODY + 1)
        except SQLAlchemyError as problem:
            return _away(problem)
        except (ClientDisconnected, OSError):
            return CUT_OFF
        if door is None:
            return UNKNOWN
        signature = environ.get("HTTP_STRIPE_SIGNATURE", "")
        return reception.take(door, body, signature) if len(body) <= MAX_BODY else TOO_LARGE

    def _reception(self) -> "Reception":
        kept: Reception | None = self._app.extensions.get(RECEPTION)
        return kept or self._app.extensions.setdefault(RECEPTION, Reception(self._app.extensions["recoup"]))


class Reception:
    """What one process remembers between webhooks, and what is done with each; knows no HTTP but the answers."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._doors = Doors(context)
        self._keeper = Keeper(context.database, after_commit=partial(ring_inbox, context.bell))

    def door(self, connection_id: UUID) -> Door | None:
        """The connection, if it is one to receive for; raises `SQLAlchemyError`."""
        return self._doors.find(connection_id, self._context.clock.now())

    def take(self, door: Door, body: bytes, signature: str) -> Answer:
        """Keep the event if it is this connection's; `signature` is the header's text."""
        now = self._context.clock.now()
        try:
            decoded = body.decode()
            door = self._authentic(door, decoded, signature, now)
            envelope = read_envelope(decoded, now)
        except UnicodeDecodeError:
            return refused("the body is not UTF-8")
        except (SignatureInvalid, EventUnreadable) as problem:
            return refused(str(problem))
        except SQLAlchemyError as problem:
            return _away(problem)
        mismatch = _mismatch(door, envelope)
        return refused(mismatch) if mismatch else self._keep(door, envelope, body, now)

    def _authentic(self, door: Door, body: str, signature: str, now: datetime) -> Door:
        """The connection as it was when its secret signed `body`: one only just added is looked up once more."""
        try:
            verify(body, signature, door.secrets, now)
        except SignatureInvalid:
            fresh = self._doors.find(door.connection_id, now, fresher_than=timedelta(seconds=1))
            if fresh is None or fresh.secrets == door.secrets:
                raise
            verify(body, signature, fresh.secrets, now)
            return fresh
        return door

    def _keep(self, door: Door, envelope: Envelope, body: bytes, now: datetime) -> Answer:
        columns = {**vars(envelope), "received_at": now}
        del columns["livemode"]
        row = row_of(door.organization_id, door.connection_id, columns, compress(body))
        failpoint("webhook.before_commit")
        try:
            self._keeper.keep(row)
        except NotKept as problem:
            return _away(problem.__cause__ or problem)
        failpoint("webhook.after_commit")
        return KEPT


def _connection_id(address: str) -> UUID | None:
    try:
        return UUID(address) if len(address) == 36 else None
    except ValueError:
        return None


def _mismatch(door: Door, envelope: Envelope) -> str | None:
    if envelope.livemode is not None and envelope.livemode != door.livemode:
        return "the event is of the other mode (live or test) than this connection"
    if envelope.account and envelope.account != door.account_id:
        return "the event is of another account than this connection"
    return None


def _away(problem: BaseException) -> Answer:
    log.warning("webhook.not_kept", problem=type(problem).__name__)
    return AWAY
