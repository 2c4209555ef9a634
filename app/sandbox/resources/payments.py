"""What collecting leaves behind, for reading: invoice payments, PaymentIntents and charges."""

from app.sandbox import listing
from app.sandbox.door import Route
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.store import Doc


def retrieve_invoice_payment(ledger: Ledger, params: Params, payment: str) -> Doc:
    """One invoice payment."""
    return ledger.get("invoice_payment", payment)


def list_invoice_payments(ledger: Ledger, params: Params) -> Doc:
    """Invoice payments by invoice, by PaymentIntent (`payment[payment_intent]`) and by status."""
    wanted = params.child("payment")
    intent = None
    if wanted is not None:
        wanted.choice("type", "payment_intent", "charge", "payment_record")
        wanted.ignore("charge", "payment_record")
        intent = wanted.text("payment_intent")
    equal = {"invoice": params.text("invoice"), "status": params.text("status"), "payment_intent": intent}
    return listing.page(ledger, params, "invoice_payment", "/v1/invoice_payments", equal)


def retrieve_intent(ledger: Ledger, params: Params, intent: str) -> Doc:
    """One PaymentIntent."""
    params.ignore("client_secret")
    return ledger.get("payment_intent", intent, "intent")


def list_intents(ledger: Ledger, params: Params) -> Doc:
    """PaymentIntents by customer."""
    return listing.page(ledger, params, "payment_intent", "/v1/payment_intents", {"customer": params.text("customer")})


def retrieve_charge(ledger: Ledger, params: Params, charge: str) -> Doc:
    """One charge."""
    return ledger.get("charge", charge)


def list_charges(ledger: Ledger, params: Params) -> Doc:
    """Charges by customer and by PaymentIntent."""
    equal = {name: params.text(name) for name in ("customer", "payment_intent")}
    return listing.page(ledger, params, "charge", "/v1/charges", equal)


ROUTES: list[Route] = [
    ("GET", "/v1/invoice_payments", list_invoice_payments),
    ("GET", "/v1/invoice_payments/<payment>", retrieve_invoice_payment),
    ("GET", "/v1/payment_intents", list_intents),
    ("GET", "/v1/payment_intents/<intent>", retrieve_intent),
    ("GET", "/v1/charges", list_charges),
    ("GET", "/v1/charges/<charge>", retrieve_charge),
]
