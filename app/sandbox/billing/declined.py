"""The 402 that answers a payment which failed while somebody waited for it."""

from typing import Any

from app.sandbox.declines import Decline
from app.sandbox.errors import StripeRefusal


def card_error(decline: Decline, **objects: Any) -> StripeRefusal:
    """A decline as an error answer; `objects` are the charge, the intent and the payment method it is about."""
    fields = {**decline.error(), **objects}
    kind, message = fields.pop("type"), fields.pop("message")
    return StripeRefusal(402, message, kind=kind, keeps_effects=True, **fields)


def action_required(intent: Any, method: Any) -> StripeRefusal:
    """The payer has to confirm with the bank; the invoice stays open."""
    return StripeRefusal(
        402,
        "Payment for this invoice requires additional user action before it can be completed successfully.",
        keeps_effects=True,
        code="invoice_payment_intent_requires_action",
        payment_intent=intent,
        payment_method=method,
    )
