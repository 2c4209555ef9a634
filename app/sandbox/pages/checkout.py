"""Checkout in setup mode: the form for a new card, and the bank's question when the card asks one."""

from typing import Any

from flask import redirect

from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.pages.form import chosen_method, entered, pressed, wants_another_card
from app.sandbox.pages.render import notice, page, safe
from app.sandbox.resources import checkout_sessions, saving
from app.sandbox.store import Doc

_SESSION_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def show(ledger: Ledger, identifier: str, problem: str | None = None) -> Any:
    """The form, or the question, while the session is open."""
    session = ledger.get("checkout.session", identifier)
    if session["status"] != "open":
        return notice(ledger, "This page is closed", _CLOSED[session["status"]])
    asks = _intent(ledger, session)["status"] == "requires_action" and not wants_another_card()
    back = safe(session["cancel_url"])
    return page(ledger, "checkout", title="Save a card", back=back, problem=problem, confirming=asks, **entered())


def answer(ledger: Ledger, identifier: str) -> Any:
    """Try the chosen card, or take the answer to the bank's question; then send the payer back."""
    session = ledger.get("checkout.session", identifier)
    if session["status"] != "open":
        return show(ledger, identifier)
    try:
        with ledger.attempt():
            intent = _intent(ledger, session)
            _go_on(ledger, intent)
            if intent["status"] == "succeeded":
                checkout_sessions.complete(ledger, session)
    except StripeRefusal as refusal:
        return show(ledger, identifier, str(refusal)), 402
    if session["status"] != "complete":
        return show(ledger, identifier)
    return redirect(session["success_url"].replace(_SESSION_PLACEHOLDER, identifier), 303)


_CLOSED = {
    "complete": "The card has been saved already.",
    "expired": "This link has expired. Ask for a new one.",
}


def _intent(ledger: Ledger, session: Doc) -> Doc:
    return ledger.get("setup_intent", session["setup_intent"])


def _go_on(ledger: Ledger, intent: Doc) -> None:
    asked = intent["status"] == "requires_action"
    if asked and pressed() == "approve":
        saving.confirm(ledger, intent)
    elif asked and pressed() == "refuse":
        raise saving.refuse(ledger, intent)
    else:
        saving.try_card(ledger, intent, chosen_method(ledger))
