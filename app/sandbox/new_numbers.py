"""A card network gives a card another number and date in place, and Stripe tells of it."""

from app.sandbox import fingerprints
from app.sandbox.ledger import Ledger
from app.sandbox.store import Doc

_STEP = 1111  # from the last four digits to the next number's


def renew(ledger: Ledger, method: Doc, expires: tuple[int, int]) -> None:
    """The payment method keeps its id; its number is another and its date `expires` (month, year)."""
    with ledger.changing(method, "payment_method.automatically_updated"):
        method["card"]["last4"] = f"{(int(method['card']['last4']) + _STEP) % 10_000:04d}"
        fingerprints.renumber(ledger, method)
        method["card"]["exp_month"], method["card"]["exp_year"] = expires
