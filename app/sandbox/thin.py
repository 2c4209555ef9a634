"""Thin events: a snapshot event reduced to what happened to which object.

[unverified: that the thin event of a v1 type has the id of its snapshot; it does here, because one thing happened.]
"""

from datetime import UTC, datetime

from app.sandbox.store import Doc

KIND = "v2.core.event"
DESTINATION = "v2.core.event_destination"
_PREFIX = "v1."

# Where an object of a kind is read; for all others the kind in the plural.
_URLS = {
    "radar.early_fraud_warning": "/v1/radar/early_fraud_warnings",
    "checkout.session": "/v1/checkout/sessions",
    "test_helpers.test_clock": "/v1/test_helpers/test_clocks",
}


def thin_type(event_type: str) -> str:
    """The type that a thin event has."""
    return _PREFIX + event_type


def notification(event: Doc) -> Doc:
    """The thin form of a snapshot event, as it is delivered and as it is fetched."""
    about, request = event["data"]["object"], event["request"]
    caused = {"type": "request", "request": {key: request[key] for key in ("id", "idempotency_key")}}
    return {
        "id": event["id"],
        "object": KIND,
        "type": thin_type(event["type"]),
        "context": event.get("account"),
        "created": iso(event["created"]),
        "livemode": False,
        "reason": caused if request["id"] else None,
        "related_object": _related(about) if "id" in about else None,
    }


def iso(moment: int) -> str:
    """Unix seconds as v2 writes them."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _related(about: Doc) -> Doc:
    kind = about["object"]
    url = _URLS.get(kind, f"/v1/{kind}s")
    return {"id": about["id"], "type": kind, "url": f"{url}/{about['id']}"}
