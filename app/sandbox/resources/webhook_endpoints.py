"""Webhook endpoints. The signing secret is told once, in the answer that creates the endpoint."""

from app.sandbox import ids, listing
from app.sandbox.door import Route
from app.sandbox.errors import bad_param, missing_param
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.store import Doc
from app.sandbox.versions import event_types
from app.sandbox.versions.published import is_published


def create(ledger: Ledger, params: Params) -> Doc:
    """Create an endpoint; the answer alone carries `secret`."""
    connect = params.flag("connect")
    events = params.texts("enabled_events")
    if not events:
        raise missing_param("enabled_events")
    event_types.refuse_unknown(events)
    endpoint = {
        "id": ids.new("we"),
        "object": "webhook_endpoint",
        "api_version": _version(params),
        "application": None,
        "created": ledger.now,
        "description": params.text("description"),
        "enabled_events": events,
        "livemode": False,
        "metadata": merged_metadata({}, params.mapping("metadata")),
        "status": "enabled",
        "url": params.required("url"),
    }
    secret = new_secret()
    ledger.save(endpoint)
    ledger.save({"id": endpoint["id"], "secret": secret}, "_secret")
    if connect:
        ledger.save({"id": endpoint["id"]}, "_connect")
    return {**endpoint, "secret": secret}


def _version(params: Params) -> str | None:
    version = params.text("api_version")
    if version is not None and not is_published(version):
        raise bad_param("api_version", f"Invalid API version: {version}", "parameter_invalid_enum")
    return version


def update(ledger: Ledger, params: Params, endpoint: str) -> Doc:
    """Change where it leads, what it hears, or switch it off."""
    doc = ledger.get("webhook_endpoint", endpoint)
    doc["url"] = params.text("url") or doc["url"]
    events = params.texts("enabled_events")
    event_types.refuse_unknown(events)
    doc["enabled_events"] = events or doc["enabled_events"]
    if "description" in params:
        doc["description"] = params.text("description")
    disabled = params.flag("disabled")
    if disabled is not None:
        doc["status"] = "disabled" if disabled else "enabled"
        if disabled:
            drop_deliveries(ledger, endpoint)
    doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))
    return ledger.save(doc)


def retrieve(ledger: Ledger, params: Params, endpoint: str) -> Doc:
    """One endpoint, without its secret."""
    return ledger.get("webhook_endpoint", endpoint)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """The endpoints, newest first."""
    return listing.page(ledger, params, "webhook_endpoint", "/v1/webhook_endpoints")


def delete(ledger: Ledger, params: Params, endpoint: str) -> Doc:
    """Delete an endpoint together with what it has not received yet."""
    ledger.get("webhook_endpoint", endpoint)
    drop_deliveries(ledger, endpoint)
    ledger.store.remove("webhook_endpoint", endpoint)
    return {"id": endpoint, "object": "webhook_endpoint", "deleted": True}


def drop_deliveries(ledger: Ledger, endpoint: str) -> None:
    """What an endpoint has not received yet it never will; its events stay undelivered."""
    ledger.store.execute("update deliveries set state = 'dropped' where endpoint = ? and state = 'pending'", endpoint)


def roll_secret(ledger: Ledger, endpoint: str, seconds: int) -> Doc:
    """A new signing secret; the present one signs beside it for `seconds` more. Raises the 404 of an unknown one."""
    kept = ledger.get("_secret", endpoint)
    former = [entry for entry in kept.get("former", []) if entry["until"] > ledger.now]
    former.insert(0, {"secret": kept["secret"], "until": ledger.now + seconds})
    secret = new_secret()
    ledger.save({**kept, "secret": secret, "former": former}, "_secret")
    return {"id": endpoint, "secret": secret, "former_until": ledger.now + seconds}


def new_secret() -> str:
    """A signing secret."""
    return f"whsec_{ids.random_text(32)}"


ROUTES: list[Route] = [
    ("POST", "/v1/webhook_endpoints", create),
    ("GET", "/v1/webhook_endpoints", list_all),
    ("GET", "/v1/webhook_endpoints/<endpoint>", retrieve),
    ("POST", "/v1/webhook_endpoints/<endpoint>", update),
    ("DELETE", "/v1/webhook_endpoints/<endpoint>", delete),
]
