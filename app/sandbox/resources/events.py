"""Events, for thirty days, and the account that they belong to."""

from typing import Any

from app.sandbox import listing, policy
from app.sandbox.door import Route
from app.sandbox.errors import bad_param, missing
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.policy import DAY
from app.sandbox.store import Doc

KEPT_FOR = 30 * DAY
MOST_TYPES = 20

# Whether every delivery of an event has been answered with a 2xx.
_UNDELIVERED = "id in (select event from deliveries where state in ('pending', 'lost', 'failed', 'dropped'))"


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


def account(ledger: Ledger, params: Params, account: str = "") -> Doc:
    """The one account of this sandbox."""
    settings = policy.load(ledger)
    name = settings.business_name
    return {
        "id": "acct_1SandboxRecoup000",
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": None,
            "minority_owned_business_designation": None,
            "name": name,
            "support_address": None,
            "support_email": "support@example.com",
            "support_phone": None,
            "support_url": None,
            "url": "https://example.com",
        },
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "created": 1_700_000_000,
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_payments": {
                "decline_on": {"avs_failure": False, "cvc_failure": False},
                "statement_descriptor_prefix": None,
                "statement_descriptor_prefix_kana": None,
                "statement_descriptor_prefix_kanji": None,
            },
            "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
            "payments": {
                "statement_descriptor": settings.statement_descriptor,
                "statement_descriptor_kana": None,
                "statement_descriptor_kanji": None,
            },
        },
        "type": "standard",
    }


def _with_pending(ledger: Ledger, event: Doc) -> Doc:
    rows = ledger.store.fetch("select count(*) from deliveries where event = ? and state != 'delivered'", event["id"])
    return {**event, "pending_webhooks": rows[0][0]}


ROUTES: list[Route] = [
    ("GET", "/v1/events", list_all),
    ("GET", "/v1/events/<event>", retrieve),
    ("GET", "/v1/account", account),
    ("GET", "/v1/accounts/<account>", account),
]
