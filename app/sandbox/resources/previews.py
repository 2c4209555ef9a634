"""What a subscription's next invoice would be. Nothing of it is kept, and nothing can be changed in it beforehand."""

from app.sandbox.billing import cycles, drafts, standing
from app.sandbox.door import ENDED_WITH_BASIL, Route
from app.sandbox.errors import StripeRefusal, missing_param
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.store import Doc


def create(ledger: Ledger, params: Params) -> Doc:
    """The preview for `subscription`, or for the newest one of `customer` that renews."""
    named, customer = params.text("subscription"), params.text("customer")
    if named is None and customer is None:
        raise missing_param("customer")
    if named is not None:
        chosen = ledger.get("subscription", named, "subscription")
        subscriptions = [chosen] if chosen["customer"] == (customer or chosen["customer"]) else []
    else:
        ledger.get("customer", customer or "", "customer")
        subscriptions = ledger.linked("subscription", "customer", customer or "")
    renewing = [
        entry for entry in subscriptions if entry["status"] not in standing.ENDED and not entry["cancel_at_period_end"]
    ]
    if not renewing:
        raise StripeRefusal(
            404,
            f"No upcoming invoices for customer: {customer or named}",
            code="invoice_upcoming_none",
            executed=False,
        )
    _, end = cycles.period_of(renewing[-1])
    return drafts.preview(ledger, renewing[-1], cycles.following_period(renewing[-1], end))


ROUTES: list[Route] = [
    ("POST", "/v1/invoices/create_preview", create),
    ("GET", ENDED_WITH_BASIL, create),
]
