"""Connecting a Stripe account: its key, its webhook endpoint and secrets, and the gateway that speaks for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from uuid import UUID, uuid4

import orjson
from sqlalchemy import select

from app.accounts import conflicts
from app.context import Context
from app.errors import RecoupError
from app.models import AuditEntry, Connection
from app.stripe_gateway.errors import LACKING, ConnectionBroken, PermissionMissing
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.pace import at_once
from app.stripe_gateway.snapshots import WebhookEndpoint
from app.vocabulary import ConflictKind, ConnectionMode, ConnectionStatus

UNNAMED = "acct_unnamed_"  # begins the id we give to an account that has none


class ConnectionRefused(RecoupError):
    """The account cannot be connected as asked; the text says what to change."""


@dataclass(frozen=True)
class Connected:
    """A connection as it stands after `connect`, and where Stripe sends its webhooks."""

    connection_id: UUID
    webhook_url: str
    made_endpoint: bool


@dataclass(frozen=True)
class Account:
    """A Stripe account as it was found, with what a connection to it will store; its secrets stay out of its repr."""

    id: str
    name: str | None
    livemode: bool
    api_key: str = field(repr=False)
    connection_id: UUID
    webhook_url: str
    endpoint_id: str | None
    webhook_secret: str = field(repr=False)
    endpoints: list[WebhookEndpoint] | None


def make_gateway(context: Context, api_key: str, pace: Callable[[], None] = at_once) -> StripeGateway:
    """A gateway for a key, talking to wherever this process is told Stripe is.

    Without a pace of its own it is one that this process keeps, with its open connections: a greeting of TLS for every
    webhook and step would cost more than what is asked.
    """
    api_base = context.settings.stripe_api_base
    return _kept(api_key, api_base) if pace is at_once else StripeGateway(api_key, api_base=api_base, pace=pace)


@lru_cache(maxsize=64)
def _kept(api_key: str, api_base: str | None) -> StripeGateway:
    return StripeGateway(api_key, api_base=api_base)


def gateway_for(context: Context, connection: Connection, pace: Callable[[], None] = at_once) -> StripeGateway:
    """The gateway that speaks for a stored connection; raises `SecretUnreadable`."""
    key = context.keys.open(connection.sealed_api_key, connection.context("api_key"))
    return make_gateway(context, key, pace)


def webhook_secrets(context: Context, connection: Connection) -> list[str]:
    """Every signing secret that is good for this connection (two while one is being rolled)."""
    sealed = context.keys.open(connection.sealed_webhook_secrets, connection.context("webhook_secrets"))
    secrets: list[str] = orjson.loads(sealed)
    return secrets


def connect(
    context: Context,
    organization_id: UUID,
    *,
    api_key: str,
    webhook_secret: str | None,
    mode: ConnectionMode,
    actor: str,
) -> Connected:
    """Connect the account behind `api_key`, or renew its key and secret when it is connected already.

    `mode` is for a new connection: one that stands is switched in `recovery.switching`, which knows of its open cases.
    Without a `webhook_secret` an endpoint is made at Stripe and its secret kept. Raises `ConnectionRefused` for a key
    that is no secret or restricted key, and `GatewayError` when Stripe refuses it.
    """
    account = look_at_account(context, organization_id, api_key=api_key, webhook_secret=webhook_secret)
    return keep_account(context, organization_id, account, mode=mode, actor=actor)


def look_at_account(
    context: Context,
    organization_id: UUID | None,
    *,
    api_key: str,
    webhook_secret: str | None,
    may_share: bool = False,
) -> Account:
    """All that `connect` asks of Stripe, with nothing written here; None is an organization that is yet to be made.

    Raises what `connect` raises, and `ConnectionRefused` where another organization has the account, unless it
    `may_share` it: both would open cases for the same invoices, write to the same people and end their subscriptions.
    """
    livemode = _livemode(api_key)
    gateway = make_gateway(context, api_key)
    account_id, account_name = _identify(context, gateway)
    if not may_share and _is_connected_elsewhere(context, organization_id, account_id, livemode):
        raise ConnectionRefused(
            "another organization of this installation is connected to this Stripe account, and both would write to its"
            " customers and charge them; connect it with --share-account only if one of the two is never to act"
        )
    row = _find(context, organization_id, account_id, livemode) if organization_id else None
    connection_id = row.id if row else uuid4()
    url = f"{context.settings.base_url()}/webhooks/stripe/{connection_id}"
    endpoint_id, secret = None, webhook_secret
    if secret is None and row is not None:
        secret = _kept_secret(context, gateway, row)
    if secret is None:
        endpoint = _make_endpoint(gateway, url)
        endpoint_id, secret = endpoint.id, endpoint.secret
    if not secret:
        raise ConnectionRefused(
            "Stripe gave no signing secret; make the endpoint in the Dashboard, pass --webhook-secret"
        )
    endpoints = _all_endpoints(gateway)
    return Account(account_id, account_name, livemode, api_key, connection_id, url, endpoint_id, secret, endpoints)


def _is_connected_elsewhere(context: Context, organization_id: UUID | None, account_id: str, livemode: bool) -> bool:
    with context.database.system() as session:
        query = select(Connection.id).where(
            Connection.account_id == account_id,
            Connection.livemode == livemode,
            Connection.status != ConnectionStatus.DISCONNECTED,
        )
        if organization_id is not None:
            query = query.where(Connection.organization_id != organization_id)
        return session.scalar(query.limit(1)) is not None


def keep_account(
    context: Context, organization_id: UUID, account: Account, *, mode: ConnectionMode, actor: str
) -> Connected:
    """Store what was looked at, in one transaction and without asking Stripe anything."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        row = session.get(Connection, account.connection_id)
        is_new = row is None
        if row is None:
            row = Connection(id=account.connection_id, organization_id=organization_id, created_at=now, mode=mode)
            row.sealed_webhook_secrets = context.keys.seal("[]", row.context("webhook_secrets"))
            session.add(row)
        row.account_id, row.account_name, row.livemode = account.id, account.name, account.livemode
        row.status, row.status_reason = ConnectionStatus.ACTIVE, None
        row.sealed_api_key = context.keys.seal(account.api_key, row.context("api_key"))
        row.webhook_endpoint_id = account.endpoint_id or row.webhook_endpoint_id
        _add_secret(context, row, account.webhook_secret)
        session.flush()
        if account.endpoints is not None:
            conflicts.note_endpoints(session, row, account.endpoints, now)
        if is_new and account.livemode:  # in test mode Stripe writes to nobody
            detail = "No API says whether they are; somebody has to look."
            conflicts.note(session, row, ConflictKind.STRIPE_MAILS, detail, now)
        session.add(
            AuditEntry(
                organization_id=organization_id,
                actor=actor,
                action="connection.connected",
                subject=str(row.id),
                happened_at=now,
                data={"account": account.id, "mode": row.mode},
            )
        )
    return Connected(account.connection_id, account.webhook_url, made_endpoint=account.endpoint_id is not None)


def keep_publishable_key(context: Context, organization_id: UUID, connection_id: UUID, key: str, actor: str) -> None:
    """Keep the key that Stripe's own form needs in the customer's browser; an empty one takes it away.

    It is no secret. Raises `ConnectionRefused` for a key of another kind or of the other mode.
    """
    with context.database.organization(organization_id) as session:
        row = session.get_one(Connection, connection_id)
        wanted = "pk_live_" if row.livemode else "pk_test_"
        if key and not (key.startswith(wanted) and len(key) > len(wanted) and key.isascii()):
            raise ConnectionRefused(f"this is no publishable key for this connection; it begins with {wanted}")
        row.publishable_key = key or None
        session.add(
            AuditEntry(
                organization_id=organization_id,
                actor=actor,
                action="connection.publishable_key",
                subject=str(row.id),
                happened_at=context.clock.now(),
                data={"is_set": bool(key)},
            )
        )


def mark_broken(context: Context, connection: Connection, problem: ConnectionBroken) -> None:
    """Stop working on a connection whose key Stripe no longer takes; the console and the doctor show why."""
    with context.database.organization(connection.organization_id) as session:
        row = session.get_one(Connection, connection.id)
        if row.status is ConnectionStatus.ACTIVE:
            row.status, row.status_reason = ConnectionStatus.BROKEN, str(problem)
            session.add(
                AuditEntry(
                    organization_id=row.organization_id,
                    actor="Recoup",
                    action="connection.broken",
                    subject=str(row.id),
                    happened_at=context.clock.now(),
                    data={"account": row.account_id, "reason": str(problem)},
                )
            )


def _livemode(api_key: str) -> bool:
    kind, _, rest = api_key.partition("_")
    mode, _, secret = rest.partition("_")
    if kind not in ("sk", "rk") or mode not in ("live", "test") or not secret:
        raise ConnectionRefused("this is no Stripe secret or restricted key; it begins with rk_live_, rk_test_ or sk_")
    return mode == "live"


def _identify(context: Context, gateway: StripeGateway) -> tuple[str, str | None]:
    """The account's id and name. A server in Stripe's place that keeps no account is one for its address."""
    try:
        account = gateway.get_account()
    except LACKING:
        if not context.settings.stripe_api_base:
            raise
        address = context.settings.stripe_api_base.rstrip("/")
        return f"{UNNAMED}{sha256(address.encode()).hexdigest()[:16]}", address
    return account.id, account.name


def _make_endpoint(gateway: StripeGateway, url: str) -> WebhookEndpoint:
    try:
        return gateway.create_webhook_endpoint(url)
    except LACKING as refusal:
        words = f" ({refusal.detail})" if refusal.detail else ""
        raise ConnectionRefused(
            f"Stripe does not make a webhook endpoint for {url}{words}; make one yourself, pass --webhook-secret"
        ) from refusal


def _all_endpoints(gateway: StripeGateway) -> list[WebhookEndpoint] | None:
    """Every webhook endpoint of the account, None where they cannot be had."""
    try:
        return gateway.list_webhook_endpoints()
    except (*LACKING, PermissionMissing):
        return None


def _find(context: Context, organization_id: UUID, account_id: str, livemode: bool) -> Connection | None:
    with context.database.organization(organization_id) as session:
        return session.scalar(
            select(Connection).where(Connection.account_id == account_id, Connection.livemode == livemode)
        )


def _kept_secret(context: Context, gateway: StripeGateway, row: Connection) -> str | None:
    """The secret of the endpoint that an earlier `connect` made, if it still stands: renewing a key makes no second."""
    if row.webhook_endpoint_id is None:
        return None
    if row.webhook_endpoint_id not in {endpoint.id for endpoint in gateway.list_webhook_endpoints()}:
        return None
    return next(iter(webhook_secrets(context, row)), None)


def _add_secret(context: Context, row: Connection, secret: str) -> None:
    """The newest secret first; the one before it stays good, because Stripe signs with both while rolling."""
    kept = [old for old in webhook_secrets(context, row) if old != secret][:1]
    row.sealed_webhook_secrets = context.keys.seal(
        orjson.dumps([secret, *kept]).decode(), row.context("webhook_secrets")
    )
