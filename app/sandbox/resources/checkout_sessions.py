"""Checkout Sessions in setup mode: Stripe's own page on which a payer saves a card."""

from typing import Any

from app.sandbox import ids, listing
from app.sandbox.door import Route
from app.sandbox.errors import bad_param, missing_param, wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.policy import DAY, HOUR
from app.sandbox.resources.setup_intents import new_setup_intent
from app.sandbox.store import Doc

_IGNORED = (
    "allow_promotion_codes automatic_tax billing_address_collection consent_collection custom_fields custom_text"
    " customer_creation customer_update payment_method_options payment_method_types payment_method_configuration"
    " excluded_payment_method_types phone_number_collection saved_payment_method_options submit_type tax_id_collection"
    " ui_mode after_expiration origin_context wallet_options"
).split()


def create(ledger: Ledger, params: Params) -> Doc:
    """A session with a page at `url`, open for a day or until `expires_at` (half an hour to a day ahead)."""
    params.ignore(*_IGNORED)
    mode = params.choice("mode", "setup", "payment", "subscription")
    if mode != "setup":
        raise bad_param("mode", "This sandbox has Checkout Sessions in setup mode only.", "parameter_unknown")
    customer = params.text("customer")
    if customer is not None:
        ledger.get("customer", customer, "customer")
    if params.text("success_url") is None:
        raise missing_param("success_url")
    intent = new_setup_intent(customer, ledger.now)
    setup = params.child("setup_intent_data")
    if setup is not None:
        intent["metadata"] = merged_metadata({}, setup.mapping("metadata"))
        intent["description"] = setup.text("description")
        setup.ignore("on_behalf_of")
    session = _new_session(ledger, params, intent, customer)
    ledger.add(intent, "setup_intent.created")
    ledger.save(session)
    ledger.set_timer("expire", session["id"], session["expires_at"])
    return session


def retrieve(ledger: Ledger, params: Params, session: str) -> Doc:
    """One session."""
    return ledger.get("checkout.session", session, "session")


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Sessions by customer and status."""
    params.ignore("payment_intent", "payment_link", "subscription", "customer_details")
    equal = {name: params.text(name) for name in ("customer", "status")}
    return listing.page(ledger, params, "checkout.session", "/v1/checkout/sessions", equal)


def expire(ledger: Ledger, params: Params, session: str) -> Doc:
    """Close an open session."""
    doc = ledger.get("checkout.session", session, "session")
    if doc["status"] != "open":
        raise wrong_state('Only Checkout Sessions with a status in ["open"] can be expired.')
    ledger.set_timer("expire", session, None)
    with ledger.changing(doc):
        doc.update(status="expired", url=None)
    ledger.emit("checkout.session.expired", doc)
    return doc


def complete(ledger: Ledger, session: Doc) -> None:
    """The payer saved a card on the session's page. No default is set anywhere, as at Stripe."""
    ledger.set_timer("expire", session["id"], None)
    with ledger.changing(session):
        session.update(status="complete", url=None)
    ledger.emit("checkout.session.completed", session)


def _expiry(ledger: Ledger, params: Params) -> int:
    wanted = params.integer("expires_at")
    if wanted is None:
        return ledger.now + DAY
    if not ledger.now + HOUR // 2 <= wanted <= ledger.now + DAY:
        raise bad_param(
            "expires_at",
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
            "parameter_invalid_integer",
        )
    return wanted


def _new_session(ledger: Ledger, params: Params, intent: Doc, customer: str | None) -> Doc:
    identifier = f"cs_test_{ids.random_text(58)}"
    email = params.text("customer_email")
    absent: dict[str, Any] = dict.fromkeys(
        "after_expiration allow_promotion_codes amount_subtotal amount_total billing_address_collection client_secret"
        " consent consent_collection currency_conversion customer_account customer_creation discounts"
        " integration_identifier invoice invoice_creation managed_payments origin_context payment_intent payment_link"
        " payment_method_configuration_details permissions recovered_from"
        " saved_payment_method_options shipping_address_collection shipping_cost submit_type subscription total_details"
        " wallet_options collected_information".split()
    )
    return {
        **absent,
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": params.text("cancel_url"),
        "client_reference_id": params.text("client_reference_id"),
        "created": ledger.now,
        "currency": (params.text("currency") or "").lower() or None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": customer,
        "customer_details": None,
        "customer_email": email,
        "expires_at": _expiry(ledger, params),
        "livemode": False,
        "locale": params.text("locale"),
        "metadata": merged_metadata({}, params.mapping("metadata")),
        "mode": "setup",
        "payment_method_collection": "always",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "phone_number_collection": {"enabled": False},
        "payment_status": "no_payment_required",
        "setup_intent": intent["id"],
        "shipping_options": [],
        "status": "open",
        "success_url": params.text("success_url"),
        "ui_mode": "hosted_page",
        "url": f"{ledger.base_url}/c/pay/{identifier}",
    }


ROUTES: list[Route] = [
    ("POST", "/v1/checkout/sessions", create),
    ("GET", "/v1/checkout/sessions", list_all),
    ("GET", "/v1/checkout/sessions/<session>", retrieve),
    ("POST", "/v1/checkout/sessions/<session>/expire", expire),
]
