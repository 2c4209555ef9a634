"""Keys: two that every sandbox has and that may do everything, and those that were made here. Any other is a 401.

A restricted key that was made may do what it was given, a secret key everything.
Sources: the names of Stripe's permissions from Stripe app manifests, the sentences of the refusals from real answers.
[unverified: which name guards `invoiceitems`, `invoice_payments`, `subscription_schedules` and the account itself.]
"""

from app.sandbox import ids
from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.store import Doc, Store

KIND = "_key"
OWN = ("sk_test_sandbox", "rk_test_sandbox")  # of every sandbox
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


def known(store: Store, key: str) -> Doc:
    """What is kept of a key; raises the 401 of one that nobody made here, or that was revoked."""
    kept = store.find(KIND, key) or (_made(key, None) if key in OWN else None)
    if kept is None:
        raise StripeRefusal(401, f"Invalid API Key provided: {_hidden(key)}", executed=False)
    if kept["revoked"]:
        raise StripeRefusal(401, f"Expired API Key provided: {_hidden(key)}", code="api_key_expired", executed=False)
    return kept


def check(kept: Doc, method: str, path: str, account: str) -> None:
    """Raise the 403 that names the permission which a known key lacks."""
    if kept["permissions"] is None:
        return
    key, resource, needed = kept["id"], resource_of(path), "read" if method == "GET" else "write"
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


def make(ledger: Ledger, permissions: dict[str, str] | None, name: str | None = None) -> Doc:
    """A new key, called `name` if that is given. With permissions (`{"invoice": "write", "event": "read"}`) it is a
    restricted one; None lets it do everything.
    """
    kind = "sk" if permissions is None else "rk"
    return ledger.save(_made(name or f"{kind}_test_{ids.random_text(24)}", permissions), KIND)


def change(ledger: Ledger, key: str, permissions: dict[str, str] | None) -> Doc:
    """Give a key other permissions; raises the 401 of an unknown key."""
    return ledger.save({**known(ledger.store, key), "permissions": permissions}, KIND)


def revoke(ledger: Ledger, key: str) -> Doc:
    """From now on the key is refused with a 401."""
    return ledger.save({**known(ledger.store, key), "revoked": True}, KIND)


def _made(key: str, permissions: dict[str, str] | None) -> Doc:
    return {"id": key, "permissions": permissions, "revoked": False}


def _hidden(key: str) -> str:
    """A key as the 401 shows it: what kind it is, and its last four signs."""
    prefix = key[: len("sk_test_")] if key.startswith(("sk_", "rk_", "pk_")) else ""
    rest = key.removeprefix(prefix)
    return f"{prefix}{'*' * max(len(rest) - 4, 4)}{rest[-4:] if len(rest) > 4 else ''}"
