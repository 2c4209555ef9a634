"""Events, for thirty days: as snapshots, and thin."""

from typing import Any

from app.sandbox import listing, thin
from app.sandbox.door import Route
from app.sandbox.errors import bad_param, missing
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.policy import DAY
from app.sandbox.store import Doc
from app.sandbox.versions.events import as_of

KEPT_FOR = 30 * DAY
MOST_TYPES = 20

# Whether every delivery of an event has been answered with a 2xx.
# A lost one was taken by something on the way: Stripe counts it as delivered.
_UNDELIVERED = "id in (select event from deliveries where state in ('pending', 'failed', 'dropped'))"


def retrieve(ledger: Ledger, params: Params, event: str) -> Doc:
    """One event; after thirty days it is gone."""
    doc = ledger.get("event", event)
    if doc["created"] < ledger.now - KEPT_FOR:
        raise missing("event", event)
    return _with_pending(ledger, doc)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Events by `type` or up to twenty `types`, `created`, and whether their delivery succeeded."""
    kind, kinds = params.text("type"), params.texts("types")
    if kind is not None and kinds:
        raise bad_param("types", "You may pass either type or types, not both.", "parameter_unknown")
    if len(kinds) > MOST_TYPES:
        raise bad_param("types", f"You may pass at most {MOST_TYPES} types.", "parameter_invalid_array")
    clauses, values = [f"created >= {ledger.now - KEPT_FOR}"], list[Any]()
    if kind is not None and "*" in kind:
        clauses.append("status glob ?")
        values.append(kind)
        kind = None
    if kinds:
        clauses.append(f"status in ({', '.join('?' * len(kinds))})")
        values += kinds
    delivered = params.flag("delivery_success")
    if delivered is not None:
        clauses.append(f"not ({_UNDELIVERED})" if delivered else _UNDELIVERED)
    found = listing.page(ledger, params, "event", "/v1/events", {"status": kind}, " and ".join(clauses), tuple(values))
    return {**found, "data": [_with_pending(ledger, event) for event in found["data"]]}


def retrieve_thin(ledger: Ledger, params: Params, event: str) -> Doc:
    """The thin form of one event."""
    return thin.notification(retrieve(ledger, params, event))


def list_thin(ledger: Ledger, params: Params) -> Doc:
    """The newest thin events about `object_id`, or about anything; one page."""
    about = params.text("object_id")
    extra = f"created >= {ledger.now - KEPT_FOR}" + (" and json_extract(body, '$.data.object.id') = ?" if about else "")
    found = listing.page(
        ledger, params, "event", "/v2/core/events", extra=extra, extra_values=(about,) if about else ()
    )
    return {
        "data": [thin.notification(event) for event in found["data"]],
        "next_page_url": None,
        "previous_page_url": None,
    }


def _with_pending(ledger: Ledger, event: Doc) -> Doc:
    rows = ledger.store.fetch("select count(*) from deliveries where event = ? and state != 'delivered'", event["id"])
    return {**as_of(ledger.store, event, None), "pending_webhooks": rows[0][0]}


ROUTES: list[Route] = [
    ("GET", "/v1/events", list_all),
    ("GET", "/v1/events/<event>", retrieve),
    ("GET", "/v2/core/events", list_thin),
    ("GET", "/v2/core/events/<event>", retrieve_thin),
]
