"""`POST /webhooks/stripe/<connection>`: verify, insert or ignore, ring, answer. No rule and no outgoing call.

The answer is 200 only once the event is committed. When Postgres is away it is 500, and Stripe comes back for days.
"""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, current_app, request
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.context import Context
from app.failpoints import failpoint
from app.inbox.bell import ring_inbox
from app.inbox.envelope import Envelope, EventUnreadable, compress, read_envelope
from app.inbox.secrets import Door, Doors
from app.log import get_logger
from app.stripe_gateway.webhooks import SignatureInvalid, verify

stripe_webhook = Blueprint("stripe_webhook", __name__)
log = get_logger(__name__)
MAX_BODY = 1024 * 1024
INSERT = text(
    """
insert into inbox_events (organization_id, connection_id, event_id, kind, type, api_version, account, object_type,
    object_id, created_at, received_at, body, state, tries, next_try_at)
values (:organization_id, :connection_id, :event_id, :kind, :type, :api_version, :account, :object_type, :object_id,
    :created_at, :received_at, :body, 'received', 0, :received_at)
on conflict (connection_id, event_id) do nothing
"""
)


@stripe_webhook.post("/webhooks/stripe/<uuid:connection_id>")
def receive(connection_id: UUID) -> Response:
    """Take one event in."""
    context: Context = current_app.extensions["recoup"]
    body = request.stream.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        return _answer(413, "the body is larger than an event can be")
    doors = _doors(context)
    try:
        decoded = body.decode()
        door = _authentic(doors, connection_id, decoded, context)
        if door is None:
            return _answer(404, "no such connection")
        envelope = read_envelope(decoded, context.clock.now())
    except UnicodeDecodeError:
        return _answer(400, "the body is not UTF-8")
    except (SignatureInvalid, EventUnreadable) as problem:
        return _answer(400, str(problem))
    except SQLAlchemyError as problem:
        return _away(problem)
    mismatch = _mismatch(door, envelope)
    return _answer(400, mismatch) if mismatch else _keep(context, door, envelope, body)


def _keep(context: Context, door: Door, envelope: Envelope, body: bytes) -> Response:
    row = {**vars(envelope), "organization_id": door.organization_id, "connection_id": door.connection_id}
    row.pop("livemode")
    failpoint("webhook.before_commit")
    try:
        context.database.one_statement(INSERT, {**row, "body": compress(body), "received_at": context.clock.now()})
    except SQLAlchemyError as problem:
        return _away(problem)
    failpoint("webhook.after_commit")
    ring_inbox(context.bell)
    return _answer(200, "kept")


def _authentic(doors: Doors, connection_id: UUID, body: str, context: Context) -> Door | None:
    """The connection whose secret signed `body`; a secret that was only just added is looked up once more."""
    header = request.headers.get("Stripe-Signature", "")
    door = doors.find(connection_id)
    if door is None:
        return None
    try:
        verify(body, header, door.secrets, context.clock.now())
    except SignatureInvalid:
        fresh = doors.find(connection_id, fresher_than=timedelta(seconds=1))
        if fresh is None or fresh.secrets == door.secrets:
            raise
        verify(body, header, fresh.secrets, context.clock.now())
        return fresh
    return door


def _mismatch(door: Door, envelope: Envelope) -> str | None:
    if envelope.livemode is not None and envelope.livemode != door.livemode:
        return "the event is of the other mode (live or test) than this connection"
    if envelope.account and envelope.account != door.account_id:
        return "the event is of another account than this connection"
    return None


def _doors(context: Context) -> Doors:
    doors: Doors = current_app.extensions.setdefault("recoup.doors", Doors(context))
    return doors


def _away(problem: SQLAlchemyError) -> Response:
    log.warning("webhook.not_kept", problem=type(problem).__name__)
    return _answer(500, "the event could not be stored; send it again")


def _answer(status: int, words: str) -> Response:
    return Response(words + "\n", status, mimetype="text/plain")
