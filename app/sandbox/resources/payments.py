"""What collecting leaves behind: invoice payments, PaymentIntents (which may be confirmed) and charges."""

from app.sandbox import listing
from app.sandbox.billing import collection, payments
from app.sandbox.billing.declined import card_error
from app.sandbox.declines import Decline
from app.sandbox.door import Route
from app.sandbox.errors import wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.resources.payment_methods import not_attached, usable_method
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


def confirm_intent(ledger: Ledger, params: Params, intent: str) -> Doc:
    """Pay an invoice by its PaymentIntent, as a page with the `confirmation_secret` does; a decline is a 402."""
    params.ignore("client_secret", "off_session", "use_stripe_sdk", "mandate_data", "payment_method_options")
    doc = ledger.get("payment_intent", intent, "intent")
    reference, back = params.text("payment_method"), params.text("return_url")
    invoice = payments.invoice_of(ledger, doc)
    if invoice is None or invoice["status"] != "open" or doc["status"] in ("succeeded", "canceled"):
        raise wrong_state(
            f"You cannot confirm this PaymentIntent because it has a status of {doc['status']}.",
            code="payment_intent_unexpected_state",
        )
    method = usable_method(ledger, reference) if reference else payments.method_for(ledger, invoice)
    if method is None:
        raise wrong_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    if method["customer"] not in (None, doc["customer"]):
        raise not_attached(method["id"])
    verdict = collection.attempt_by_hand(ledger, invoice, method)
    if isinstance(verdict, Decline):
        raise card_error(verdict, charge=doc["latest_charge"], payment_intent=doc, payment_method=method)
    if doc["next_action"] and back:
        with ledger.changing(doc):
            doc["next_action"]["redirect_to_url"]["return_url"] = back
    return doc


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
    ("POST", "/v1/payment_intents/<intent>/confirm", confirm_intent),
    ("GET", "/v1/charges", list_charges),
    ("GET", "/v1/charges/<charge>", retrieve_charge),
]
