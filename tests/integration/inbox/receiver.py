"""The webhook receiver as Stripe meets it: a web server on a socket, an account, bodies signed by hand."""

import hashlib
import hmac
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import requests
from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from app.accounts.users import create_organization
from app.context import Context
from app.models import Connection, InboxEvent
from app.recovery.campaigns import add_defaults
from app.vocabulary import ConnectionMode, ConnectionStatus

ACCOUNT = "acct_1Receiver"
SECRET = "whsec_of_the_receiver"
_numbers = itertools.count(1)


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@dataclass
class Receiver:
    """Where to post, and what came of it."""

    context: Context
    base_url: str
    organization_id: UUID
    connection_id: UUID
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return f"{self.base_url}/webhooks/stripe/{self.connection_id}"

    def signed(self, body: bytes, secret: str = SECRET, off: timedelta = timedelta(0)) -> str:
        """The header for `body`, made `off` away from the program's clock."""
        stamp = str(int((self.context.clock.now() + off).timestamp()))
        return f"t={stamp},v1={signature(body, secret, stamp)}"

    def post(self, body: bytes, header: str | None = None, **headers: str) -> requests.Response:
        """Post a body, signed by the account's secret unless a header is given."""
        given = {"Content-Type": "application/json", "Stripe-Signature": header or self.signed(body), **headers}
        return self.http.post(self.url, data=body, headers=given, timeout=20)

    def rows(self, *event_ids: str) -> list[InboxEvent]:
        """What the inbox keeps of these events, or all it keeps."""
        query = select(InboxEvent).where(InboxEvent.connection_id == self.connection_id).order_by(InboxEvent.id)
        if event_ids:
            query = query.where(InboxEvent.event_id.in_(event_ids))
        with self.context.database.organization(self.organization_id) as session:
            return list(session.scalars(query))


def signature(body: bytes, secret: str, stamp: str) -> str:
    """What stands behind `v1=`."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def event(event_type: str = "invoice.paid", **changes: Any) -> dict[str, Any]:
    """A snapshot event with an id of its own, about an invoice nobody knows."""
    number = next(_numbers)
    return {
        "id": f"evt_{number:04}",
        "object": "event",
        "api_version": "2026-08-26.dahlia",
        "created": 1788220800,
        "data": {"object": {"id": f"in_{number:04}", "object": "invoice", "status": "paid", "currency": "eur"}},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": event_type,
        **changes,
    }


def thin_event(event_type: str, object_id: str, **changes: Any) -> dict[str, Any]:
    """A thin event: it names its object and carries nothing of it."""
    return {
        "id": f"evt_thin_{next(_numbers):04}",
        "object": "v2.core.event",
        "type": event_type,
        "created": "2026-09-01T09:00:00.000Z",
        "livemode": False,
        "related_object": {"id": object_id, "type": "invoice", "url": f"/v1/invoices/{object_id}"},
        **changes,
    }


def body_of(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


@contextmanager
def serving(context: Context) -> Iterator[str]:
    """The web program on a free port; its address."""
    web = make_server("127.0.0.1", 0, create_app(context), threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{web.server_port}"
    finally:
        web.shutdown()
        thread.join(timeout=15)
        web.server_close()


@contextmanager
def open_receiver(context: Context) -> Iterator[Receiver]:
    """The web program with one organization and its connected account."""
    organization_id = add_organization(context, "acme")
    connection_id = add_connection(context, organization_id)
    with serving(context) as base_url:
        yield Receiver(context, base_url, organization_id, connection_id)


def add_organization(context: Context, slug: str) -> UUID:
    """An organization with the default campaigns."""
    now = context.clock.now()
    with context.database.system() as session:
        organization = create_organization(session, slug, slug.title(), now)
        session.flush()
        organization_id = organization.id
    with context.database.organization(organization_id) as session:
        add_defaults(session, now, "test")
    return organization_id


def add_connection(context: Context, organization_id: UUID, secrets: Sequence[str] = (SECRET,), **columns: Any) -> UUID:
    """A connected test-mode account; nothing is asked of Stripe."""
    row = Connection(
        id=uuid4(),
        organization_id=organization_id,
        created_at=context.clock.now(),
        **{
            "account_id": ACCOUNT,
            "livemode": False,
            "mode": ConnectionMode.DRIVE,
            "status": ConnectionStatus.ACTIVE,
            **columns,
        },
    )
    row.sealed_api_key = context.keys.seal("rk_test_receiver", row.context("api_key"))
    row.sealed_webhook_secrets = context.keys.seal(orjson.dumps(secrets).decode(), row.context("webhook_secrets"))
    with context.database.organization(organization_id) as session:
        session.add(row)
    return row.id
