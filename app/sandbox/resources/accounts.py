"""Accounts: the one that a request acts on, and those that are connected to the platform."""

from app.sandbox import connect, listing, policy
from app.sandbox.door import Route
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.store import Doc
from app.sandbox.world import PLATFORM


def own(ledger: Ledger, params: Params) -> Doc:
    """The account that the request acts on."""
    settings = policy.load(ledger)
    return _account(ledger.account or PLATFORM, settings.business_name, settings.statement_descriptor)


def retrieve(ledger: Ledger, params: Params, account: str) -> Doc:
    """An account by its id: one's own, or one that is connected; raises the 403 for any other."""
    if account == (ledger.account or PLATFORM):
        return own(ledger, params)
    entry = ledger.find(connect.KIND, account)
    if entry is None or not entry["connected"]:
        raise connect.no_access(account, "sk_test_***")
    return _account(account, entry["name"], None)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """The connected accounts, newest first."""
    found = listing.page(ledger, params, connect.KIND, "/v1/accounts", extra="json_extract(body, '$.connected')")
    return {**found, "data": [_account(entry["id"], entry["name"], None) for entry in found["data"]]}


def _account(identifier: str, name: str, descriptor: str | None) -> Doc:
    return {
        "id": identifier,
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
                "statement_descriptor": descriptor,
                "statement_descriptor_kana": None,
                "statement_descriptor_kanji": None,
            },
        },
        "type": "standard",
    }


ROUTES: list[Route] = [
    ("GET", "/v1/account", own),
    ("GET", "/v1/accounts", list_all),
    ("GET", "/v1/accounts/<account>", retrieve),
]
