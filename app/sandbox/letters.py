"""What a delivery carries: the body of an event as its endpoint wants it, and the signatures on it."""

import hashlib
import hmac
from dataclasses import dataclass

import orjson

from app.sandbox import thin
from app.sandbox.store import Doc, Store
from app.sandbox.versions.events import as_of
from app.sandbox.world import World


@dataclass(frozen=True)
class Letter:
    """A body ready to be signed with each of `secrets`; while a secret is being rolled there are two."""

    url: str
    body: bytes
    secrets: tuple[str, ...]
    event_type: str


def signature_header(body: bytes, secrets: tuple[str, ...], timestamp: int) -> str:
    """The `Stripe-Signature` of a body: one `v1` for each secret."""
    message = f"{timestamp}.".encode() + body
    signed = (hmac.new(secret.encode(), message, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join((f"t={timestamp}", *(f"v1={one}" for one in signed)))


def letter(world: World, event_id: str, endpoint_id: str) -> Letter | None:
    """The letter of an event to an endpoint of this account or of its platform.

    None when the event or the endpoint is gone, or the endpoint is switched off.
    """
    event = world.store.find("event", event_id)
    here = world.store.find("_secret", endpoint_id) is not None
    store = world.store if here or world.platform is None else world.platform.store
    endpoint = store.find("webhook_endpoint", endpoint_id) or store.find(thin.DESTINATION, endpoint_id)
    kept = store.find("_secret", endpoint_id)
    now = world.now()
    if event is None or endpoint is None or kept is None or endpoint["status"] != "enabled":
        return None
    former = (entry["secret"] for entry in kept.get("former", ()) if entry["until"] > now)
    url, body = _contents(world.store, event, endpoint)
    return Letter(url, orjson.dumps(body, option=orjson.OPT_INDENT_2), (kept["secret"], *former), event["type"])


def _contents(store: Store, event: Doc, endpoint: Doc) -> tuple[str, Doc]:
    if endpoint["object"] == thin.DESTINATION:
        return endpoint["webhook_endpoint"]["url"], thin.notification(event)
    return endpoint["url"], as_of(store, event, endpoint["api_version"])
