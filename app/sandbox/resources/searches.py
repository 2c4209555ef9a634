"""Stripe's searches, which are not built: each says so, instead of looking for an object that is called `search`."""

from app.sandbox.door import Route
from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.store import Doc

SEARCHED = ("charges", "customers", "invoices", "payment_intents", "prices", "products", "subscriptions")


def refuse(ledger: Ledger, params: Params) -> Doc:
    """Raise the refusal; what was searched for does not matter."""
    raise StripeRefusal(400, "This sandbox has no searches; use the list and its filters instead.", executed=False)


ROUTES: list[Route] = [("GET", f"/v1/{kind}/search", refuse) for kind in SEARCHED]
