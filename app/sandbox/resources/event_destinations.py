"""Event destinations of API v2: endpoints that are sent thin events. The secret is told once, when it is asked for."""

from app.sandbox import ids, listing
from app.sandbox.door import Route
from app.sandbox.errors import bad_param, missing_param
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.resources.webhook_endpoints import drop_deliveries, new_secret
from app.sandbox.store import Doc
from app.sandbox.thin import DESTINATION, iso

_URL = "/v2/core/event_destinations"
_SECRET, _WHERE = "webhook_endpoint.signing_secret", "webhook_endpoint.url"


def create(ledger: Ledger, params: Params) -> Doc:
    """A destination for thin events; with the include `webhook_endpoint.signing_secret` the answer tells the secret."""
    included = params.texts("include")
    if params.choice("type", "webhook_endpoint") is None:
        raise missing_param("type")
    if params.required("event_payload") != "thin":
        raise bad_param("event_payload", "For snapshots make a webhook endpoint.", "parameter_unknown")
    events, where = params.texts("enabled_events"), params.child("webhook_endpoint")
    if not events or where is None:
        raise missing_param("webhook_endpoint" if events else "enabled_events")
    sources = params.texts("events_from") or ["@self"]
    moment = iso(ledger.now)
    destination = {
        "id": ids.new("ed_test"),
        "object": DESTINATION,
        "created": moment,
        "description": params.text("description") or "",
        "enabled_events": events,
        "event_payload": "thin",
        "events_from": sources,
        "livemode": False,
        "metadata": merged_metadata({}, params.mapping("metadata")),
        "name": params.required("name"),
        "snapshot_api_version": None,
        "status": "enabled",
        "status_details": None,
        "type": "webhook_endpoint",
        "updated": moment,
        "webhook_endpoint": {"signing_secret": None, "url": where.required("url")},
    }
    secret = new_secret()
    _keep(ledger, destination)
    ledger.save({"id": destination["id"], "secret": secret}, "_secret")
    if "@accounts" in sources:
        ledger.save({"id": destination["id"]}, "_connect")
    return _shown(destination, included, secret)


def retrieve(ledger: Ledger, params: Params, destination: str) -> Doc:
    """One destination; its address when the include asks for it."""
    return _shown(ledger.get(DESTINATION, destination), params.texts("include"))


def list_all(ledger: Ledger, params: Params) -> Doc:
    """The destinations, newest first; one page."""
    included = params.texts("include")
    found = listing.page(ledger, params, DESTINATION, _URL)
    shown = [_shown(entry, included) for entry in found["data"]]
    return {"data": shown, "next_page_url": None, "previous_page_url": None}


def enable(ledger: Ledger, params: Params, destination: str) -> Doc:
    """Hear events again, those from now on."""
    return _switch(ledger, destination, "enabled", None)


def disable(ledger: Ledger, params: Params, destination: str) -> Doc:
    """Hear nothing more, nor what has not arrived yet."""
    drop_deliveries(ledger, destination)
    return _switch(ledger, destination, "disabled", {"disabled": {"reason": "user"}})


def delete(ledger: Ledger, params: Params, destination: str) -> Doc:
    """Forget a destination."""
    ledger.get(DESTINATION, destination)
    drop_deliveries(ledger, destination)
    ledger.store.remove(DESTINATION, destination)
    return {"id": destination, "object": DESTINATION}


def _switch(ledger: Ledger, destination: str, status: str, details: Doc | None) -> Doc:
    doc = ledger.get(DESTINATION, destination)
    doc.update(status=status, status_details=details, updated=iso(ledger.now))
    _keep(ledger, doc)
    return _shown(doc, [])


def _keep(ledger: Ledger, destination: Doc) -> None:
    """Its `created` is a text, which the store cannot order by."""
    ledger.store.put(DESTINATION, destination, ledger.now, {"status": destination["status"]})


def _shown(destination: Doc, included: list[str], secret: str | None = None) -> Doc:
    endpoint = {
        "signing_secret": secret if _SECRET in included else None,
        "url": destination["webhook_endpoint"]["url"] if _WHERE in included else None,
    }
    return {**destination, "webhook_endpoint": endpoint}


ROUTES: list[Route] = [
    ("POST", _URL, create),
    ("GET", _URL, list_all),
    ("GET", f"{_URL}/<destination>", retrieve),
    ("POST", f"{_URL}/<destination>/enable", enable),
    ("POST", f"{_URL}/<destination>/disable", disable),
    ("DELETE", f"{_URL}/<destination>", delete),
]
