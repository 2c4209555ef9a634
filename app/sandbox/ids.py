"""Identifiers shaped like Stripe's: a prefix that tells the kind, and letters and digits that tell nothing."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits

KINDS = {
    "cus": "customer",
    "pm": "payment_method",
    "card": "payment_method",
    "prod": "product",
    "price": "price",
    "sub": "subscription",
    "si": "subscription_item",
    "sub_sched": "subscription_schedule",
    "in": "invoice",
    "ii": "invoiceitem",
    "inpay": "invoice_payment",
    "pi": "payment_intent",
    "ch": "charge",
    "di": "discount",
    "cn": "credit_note",
    "cbtxn": "customer_balance_transaction",
    "issfr": "radar.early_fraud_warning",
    "re": "refund",
    "dp": "dispute",
    "seti": "setup_intent",
    "cs_test": "checkout.session",
    "bps": "billing_portal.session",
    "evt": "event",
    "we": "webhook_endpoint",
    "acct": "account",
    "clock": "test_helpers.test_clock",
}


def random_text(length: int) -> str:
    """`length` letters and digits from the system's randomness."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(length))


def new(prefix: str) -> str:
    """A fresh id, such as `in_1…`."""
    return f"{prefix}_1{random_text(23)}"


def kind_of(identifier: str) -> str | None:
    """Which kind of object an id names, or None when its prefix is not one of ours."""
    return KINDS.get(identifier.rpartition("_")[0])
