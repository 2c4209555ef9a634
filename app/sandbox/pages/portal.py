"""The customer portal: the present card, and a form for another, with the bank's question when the card asks one.

Source: a session is short-lived; an hour here [unverified].
"""

from typing import Any

from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.pages.form import chosen_method, entered, pressed, wants_another_card
from app.sandbox.pages.render import back_to, notice, page, safe
from app.sandbox.policy import HOUR
from app.sandbox.resources import saving
from app.sandbox.resources.setup_intents import new_setup_intent
from app.sandbox.store import Doc


def show(ledger: Ledger, identifier: str, problem: str | None = None, *, saved: bool = False) -> Any:
    """The customer's present default card and a form for another."""
    session = ledger.get("billing_portal.session", identifier)
    if _is_over(ledger, session):
        return _over(ledger)
    customer = ledger.get("customer", session["customer"])
    method = ledger.find("payment_method", customer["invoice_settings"]["default_payment_method"])
    return page(
        ledger,
        "portal",
        title="Your payment method",
        card=method and method["card"],
        back=safe(session["return_url"]),
        confirming=_asked(ledger, session) is not None and not wants_another_card(),
        problem=problem,
        saved=saved,
        **entered(),
    )


def answer(ledger: Ledger, identifier: str) -> Any:
    """Set the customer's default card; a subscription with a card of its own keeps that one, as at Stripe."""
    session = ledger.get("billing_portal.session", identifier)
    if _is_over(ledger, session):
        return _over(ledger)
    try:
        with ledger.attempt():
            intent = _go_on(ledger, session)
            if intent["status"] == "succeeded":
                _make_default(ledger, session, intent["payment_method"])
    except StripeRefusal as refusal:
        return show(ledger, identifier, str(refusal)), 402
    if intent["status"] != "succeeded":
        return show(ledger, identifier)
    redirected = ((session["flow"] or {}).get("after_completion") or {}).get("redirect")
    return back_to(redirected["return_url"]) if redirected else show(ledger, identifier, saved=True)


def _asked(ledger: Ledger, session: Doc) -> Doc | None:
    """The SetupIntent of this session that waits for the bank's answer."""
    intent = ledger.find("setup_intent", (ledger.find("_portal", session["id"]) or {}).get("intent"))
    return intent if intent and intent["status"] == "requires_action" else None


def _go_on(ledger: Ledger, session: Doc) -> Doc:
    asked = _asked(ledger, session)
    if asked is not None and pressed() == "approve":
        saving.confirm(ledger, asked)
        return asked
    if asked is not None and pressed() == "refuse":
        raise saving.refuse(ledger, asked)
    intent = ledger.add(new_setup_intent(session["customer"], ledger.now), "setup_intent.created")
    ledger.save({"id": session["id"], "intent": intent["id"]}, "_portal")
    saving.try_card(ledger, intent, chosen_method(ledger))
    return intent


def _make_default(ledger: Ledger, session: Doc, method: str) -> None:
    customer = ledger.get("customer", session["customer"])
    with ledger.changing(customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = method


def _is_over(ledger: Ledger, session: Doc) -> bool:
    return bool(ledger.now > session["created"] + HOUR)


def _over(ledger: Ledger) -> Any:
    return notice(ledger, "This link has expired", "Go back and open the page again."), 410
