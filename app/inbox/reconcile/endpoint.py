"""Whether Stripe still has an endpoint that leads here, switched on and told of all that Recoup wants to hear."""

from sqlalchemy.orm import Session

from app.accounts import conflicts
from app.inbox.errands.walk import Found, Walk
from app.models import Connection
from app.stripe_gateway.errors import LACKING, PermissionMissing
from app.stripe_gateway.events import ENABLED_EVENTS
from app.stripe_gateway.snapshots import WebhookEndpoint
from app.vocabulary import FindingKind

MAKE_ANEW = "Run `recoup connect` with the key again, which makes a new one; what was missed is fetched meanwhile."
ENABLE = "Enable it in Stripe under Developers, Webhooks; what was missed is fetched meanwhile."
TELL_MORE = "Add them to the endpoint in Stripe under Developers, Webhooks; they are fetched meanwhile."


def look(walk: Walk) -> bool:
    """Say what is wrong with the endpoint, if anything; it is the operator's to mend."""
    try:
        endpoints = walk.gateway.list_webhook_endpoints()
    except LACKING:
        endpoints = None
    except PermissionMissing as lack:
        walk.note(f"The webhook endpoint was not looked at: the key lacks {lack.called}.")
        endpoints = None
    found = [] if endpoints is None else judge(walk, endpoints)
    walk.see(found)
    walk.count("found", len(found))
    walk.commit(lambda session: _keep(walk, session, found, endpoints))
    return True


def _keep(walk: Walk, session: Session, found: list[Found], endpoints: list[WebhookEndpoint] | None) -> None:
    walk.found(session, found)
    if endpoints is not None:
        connection = session.get_one(Connection, walk.connection.id)
        conflicts.note_endpoints(session, connection, endpoints, walk.context.clock.now())


def judge(walk: Walk, endpoints: list[WebhookEndpoint]) -> list[Found]:
    """What is wrong with the endpoint of this connection among all of the account's."""
    path = f"/webhooks/stripe/{walk.connection.id}"
    ours = [one for one in endpoints if one.id == walk.connection.webhook_endpoint_id or one.url.endswith(path)]
    subject = walk.connection.webhook_endpoint_id or path
    if not ours:
        return [_wrong(subject, "Stripe has no webhook endpoint that leads here.", MAKE_ANEW)]
    enabled = [one for one in ours if one.status in ("enabled", "unknown")]
    if not enabled:
        return [_wrong(ours[0].id, "The webhook endpoint is disabled at Stripe.", ENABLE)]
    told = {name for one in enabled for name in one.enabled_events}
    missing = [] if "*" in told else [name for name in ENABLED_EVENTS if name not in told]
    if missing and told:
        return [_wrong(enabled[0].id, f"The webhook endpoint is not told of {', '.join(missing)}.", TELL_MORE)]
    return []


def _wrong(subject: str, why: str, advice: str) -> Found:
    return Found(FindingKind.ENDPOINT, subject, why, advice)
