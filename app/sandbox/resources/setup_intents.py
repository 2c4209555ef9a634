"""SetupIntents: saving a card for later without charging it."""

from typing import Any

from app.sandbox import ids, listing
from app.sandbox.door import Route
from app.sandbox.errors import wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.resources.payment_methods import usable_method
from app.sandbox.resources.saving import try_card
from app.sandbox.store import Doc


def new_setup_intent(customer: str | None, now: int, **fields: Any) -> Doc:
    """A SetupIntent that still wants a payment method."""
    identifier = ids.new("seti")
    return {
        "id": identifier,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": None,
        "cancellation_reason": None,
        "client_secret": f"{identifier}_secret_{ids.random_text(24)}",
        "created": now,
        "customer": customer,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "single_use_mandate": None,
        "status": "requires_payment_method",
        "usage": "off_session",
        **fields,
    }


def create(ledger: Ledger, params: Params) -> Doc:
    """Create, and confirm at once when `confirm` is given; raises the 402 of a card that is declined."""
    customer = params.text("customer")
    if customer is not None:
        ledger.get("customer", customer, "customer")
    params.ignore(
        "automatic_payment_methods",
        "payment_method_types",
        "payment_method_options",
        "allowed_payment_method_types",
        "excluded_payment_method_types",
    )
    intent = new_setup_intent(
        customer, ledger.now, usage=params.choice("usage", "off_session", "on_session") or "off_session"
    )
    intent["metadata"] = merged_metadata({}, params.mapping("metadata"))
    intent["description"] = params.text("description")
    ledger.add(intent, "setup_intent.created")
    method, confirm, back = params.text("payment_method"), params.flag("confirm"), params.text("return_url")
    if method is not None:
        return _with_method(ledger, intent, method, bool(confirm), back)
    return intent


def confirm(ledger: Ledger, params: Params, intent: str) -> Doc:
    """Confirm with the intent's own or the given payment method; raises the 402 of a card that is declined."""
    doc = ledger.get("setup_intent", intent, "intent")
    params.ignore("mandate_data", "payment_method_options", "client_secret", "use_stripe_sdk")
    back = params.text("return_url")
    if doc["status"] in ("succeeded", "canceled"):
        raise wrong_state(
            f"You cannot confirm this SetupIntent because it has a status of {doc['status']}.",
            code="setup_intent_unexpected_state",
        )
    method = params.text("payment_method") or doc["payment_method"]
    if method is None:
        raise wrong_state(
            "You cannot confirm this SetupIntent because it's missing a payment method.",
            code="setup_intent_unexpected_state",
        )
    return _with_method(ledger, doc, method, True, back)


def cancel(ledger: Ledger, params: Params, intent: str) -> Doc:
    """Give up an intent that has not succeeded."""
    doc = ledger.get("setup_intent", intent, "intent")
    reason = params.text("cancellation_reason")
    if doc["status"] in ("succeeded", "canceled"):
        raise wrong_state(
            f"You cannot cancel this SetupIntent because it has a status of {doc['status']}.",
            code="setup_intent_unexpected_state",
        )
    with ledger.changing(doc):
        doc.update(status="canceled", cancellation_reason=reason)
    ledger.emit("setup_intent.canceled", doc)
    return doc


def retrieve(ledger: Ledger, params: Params, intent: str) -> Doc:
    """One SetupIntent."""
    params.ignore("client_secret")
    return ledger.get("setup_intent", intent, "intent")


def list_all(ledger: Ledger, params: Params) -> Doc:
    """SetupIntents by customer."""
    params.ignore("attach_to_self", "payment_method")
    return listing.page(ledger, params, "setup_intent", "/v1/setup_intents", {"customer": params.text("customer")})


def _with_method(ledger: Ledger, intent: Doc, reference: str, confirmed: bool, back: str | None) -> Doc:
    method = usable_method(ledger, reference)
    if confirmed:
        try_card(ledger, intent, method, back)
        return intent
    with ledger.changing(intent):
        intent.update(payment_method=method["id"], status="requires_confirmation")
    return intent


ROUTES: list[Route] = [
    ("POST", "/v1/setup_intents", create),
    ("GET", "/v1/setup_intents", list_all),
    ("GET", "/v1/setup_intents/<intent>", retrieve),
    ("POST", "/v1/setup_intents/<intent>/confirm", confirm),
    ("POST", "/v1/setup_intents/<intent>/cancel", cancel),
]
