"""Keys: any secret test key may do everything; a restricted key that was made here may do what it was given.

Restricted keys that nobody made here may do everything, too, so that a sandbox can be used without making any.
Sources: the names of Stripe's permissions from Stripe app manifests, the sentence of the refusal from real answers.
[unverified: which name guards `invoiceitems`, `invoice_payments`, `subscription_schedules` and the account itself.]
"""

from app.sandbox import ids
from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.store import Doc, Store

KIND = "_key"
LEVELS = ("none", "read", "write")

# The permission's name for the first part of a path; other parts are their own name in the singular.
_NAMES = {
    "account": "connected_account",
    "accounts": "connected_account",
    "balance_transactions": "balance",
    "billing_portal": "customer_portal",
    "checkout": "checkout_session",
    "core": "event",
    "invoice_payments": "invoice",
    "invoiceitems": "invoice",
    "prices": "plan",
    "refunds": "charge",
    "subscription_items": "subscription",
    "subscription_schedules": "subscription",
    "test_helpers": "billing_clock",
    "webhook_endpoints": "webhook",
}

# Every permission that guards something here.
_WORDS = """
balance billing_clock charge checkout_session connected_account coupon credit_note customer customer_portal dispute
event invoice mandate payment_intent payment_method plan product radar setup_intent subscription webhook
"""
RESOURCES = frozenset(_WORDS.split())
_DESTINATIONS = "/v2/core/event_destinations"


def resource_of(path: str) -> str:
    """Which permission guards a path, such as `invoice` for `/v1/invoices/in_1/pay`."""
    parts = path.strip("/").split("/")
    if path.startswith(_DESTINATIONS):
        return "webhook"
    part = "payment_methods" if parts[-1] == "payment_methods" else parts[1]
    return _NAMES.get(part, part.removesuffix("s"))


def check(store: Store, key: str, method: str, path: str, account: str) -> None:
    """Raise the 401 of a revoked restricted key, or the 403 that names the permission it lacks."""
    kept = store.find(KIND, key) if key.startswith("rk_") else None
    if kept is None:
        return
    if kept["revoked"]:
        raise StripeRefusal(401, f"Expired API Key provided: {masked(key)}", code="api_key_expired", executed=False)
    resource, needed = resource_of(path), "read" if method == "GET" else "write"
    if LEVELS.index(kept["permissions"].get(resource, "none")) < LEVELS.index(needed):
        raise StripeRefusal(
            403,
            f"The provided key '{masked(key)}' does not have the required permissions for this endpoint on account"
            f" '{account}'. Having the 'rak_{resource}_{needed}' permission would allow this request to continue.",
            executed=False,
        )


def masked(key: str) -> str:
    """A key as error messages show it: its kind and its last six signs."""
    kind = "_".join(key.split("_")[:2])
    return f"{kind}_{'*' * max(len(key) - len(kind) - 7, 3)}{key[-6:]}"


def make(ledger: Ledger, permissions: dict[str, str]) -> Doc:
    """A new restricted key with these permissions: `{"invoice": "write", "event": "read"}`."""
    key = f"rk_test_{ids.random_text(24)}"
    return ledger.save({"id": key, "permissions": permissions, "revoked": False}, KIND)


def change(ledger: Ledger, key: str, permissions: dict[str, str]) -> Doc:
    """Give a key other permissions; raises the 404 of an unknown key."""
    return ledger.save({**ledger.get(KIND, key), "permissions": permissions}, KIND)


def revoke(ledger: Ledger, key: str) -> Doc:
    """From now on the key is refused with a 401."""
    return ledger.save({**ledger.get(KIND, key), "revoked": True}, KIND)
