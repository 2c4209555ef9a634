"""The pages: Checkout in setup mode, the hosted invoice, the customer portal.

Plain forms that work without JavaScript.
"""

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, send_from_directory

from app.money import Money, format_money
from app.sandbox import policy
from app.sandbox.billing import collection, payments
from app.sandbox.declines import Decline
from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.pages.form import chosen_method, entered, pressed
from app.sandbox.resources import checkout_sessions
from app.sandbox.resources.payment_methods import attached
from app.sandbox.world import World

_SESSION_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def blueprint(world: World) -> Blueprint:
    """The routes `/c/pay/…`, `/i/…` and `/p/session/…`."""
    pages = Blueprint("sandbox_pages", __name__, template_folder="templates")
    templates = f"{pages.root_path}/templates/sandbox"

    def style() -> Response:
        return send_from_directory(templates, "style.css", max_age=3600)

    def icon() -> Response:
        return send_from_directory(templates, "icon.svg", max_age=3600)

    pages.add_url_rule("/_sandbox/style.css", "style", style)
    pages.add_url_rule("/_sandbox/icon.svg", "icon", icon)
    pages.add_url_rule("/favicon.ico", "favicon", icon)  # what a browser asks for where no page names an icon
    pages.add_url_rule("/i/<identifier>/pdf", "show_pdf", _view(world, show_pdf))
    for rule, show, act in (
        ("/c/pay/<identifier>", show_checkout, save_card),
        ("/i/<identifier>", show_invoice, answer_invoice),
        ("/p/session/<identifier>", show_portal, change_card),
    ):
        pages.add_url_rule(rule, show.__name__, _view(world, show), methods=["GET"])
        pages.add_url_rule(rule, act.__name__, _view(world, act), methods=["POST"])
    return pages


def show_checkout(ledger: Ledger, identifier: str, problem: str | None = None) -> Any:
    """The form for a new card, while the session is open."""
    session = ledger.get("checkout.session", identifier)
    if session["status"] != "open":
        text = "The card has been saved already." if session["status"] == "complete" else "Ask for a new link."
        return _page(ledger, "notice", title="This page is closed", text=text)
    back = _safe(session["cancel_url"])
    return _page(ledger, "checkout", title="Save a card", back=back, problem=problem, **entered())


def save_card(ledger: Ledger, identifier: str) -> Any:
    """Complete the session with the chosen card and send the payer back."""
    session = ledger.get("checkout.session", identifier)
    if session["status"] != "open":
        return show_checkout(ledger, identifier)
    try:
        with ledger.attempt():
            checkout_sessions.complete(ledger, session, chosen_method(ledger))
    except StripeRefusal as refusal:
        return show_checkout(ledger, identifier, str(refusal)), 402
    return redirect(session["success_url"].replace(_SESSION_PLACEHOLDER, identifier), 303)


def show_invoice(ledger: Ledger, identifier: str, problem: str | None = None) -> Any:
    """What is owed, with the bank's question when one is open, else a form to pay."""
    invoice = ledger.get("invoice", identifier)
    intent = payments.intent_of(ledger, invoice)
    return _page(
        ledger,
        "invoice",
        title=f"Invoice {invoice['number'] or ''}",
        invoice=invoice,
        amount=format_money(Money(invoice["amount_due"], invoice["currency"])),
        confirming=bool(intent and intent["status"] == "requires_action"),
        problem=problem,
        **entered(),
    )


def show_pdf(ledger: Ledger, identifier: str) -> Any:
    """Where `invoice_pdf` leads: this sandbox prints nothing, so to the page of the same invoice."""
    return redirect(f"{ledger.base_url}/i/{ledger.get('invoice', identifier)['id']}", 303)


def answer_invoice(ledger: Ledger, identifier: str) -> Any:
    """Pay with the chosen card, or answer the bank's question."""
    invoice = ledger.get("invoice", identifier)
    intent = payments.intent_of(ledger, invoice)
    if invoice["status"] != "open" or intent is None:
        return show_invoice(ledger, identifier)
    answer = pressed()
    if answer == "refuse":
        if intent["status"] == "requires_action":
            payments.refuse_authentication(ledger, intent)
            ledger.emit("invoice.payment_failed", invoice)
        return show_invoice(ledger, identifier, "Your bank was told that this was not you.")
    try:
        with ledger.attempt():
            approves = answer == "approve" and intent["status"] == "requires_action"
            method = ledger.get("payment_method", intent["payment_method"]) if approves else chosen_method(ledger)
            verdict = collection.attempt_by_hand(ledger, invoice, method, authenticated=approves)
    except StripeRefusal as refusal:
        return show_invoice(ledger, identifier, str(refusal)), 402
    return show_invoice(ledger, identifier, verdict.message if isinstance(verdict, Decline) else None)


def show_portal(ledger: Ledger, identifier: str, problem: str | None = None, *, saved: bool = False) -> Any:
    """The customer's present default card and a form for another."""
    session = ledger.get("billing_portal.session", identifier)
    customer = ledger.get("customer", session["customer"])
    method = ledger.find("payment_method", customer["invoice_settings"]["default_payment_method"])
    return _page(
        ledger,
        "portal",
        title="Your payment method",
        card=method and method["card"],
        back=_safe(session["return_url"]),
        problem=problem,
        saved=saved,
        **entered(),
    )


def change_card(ledger: Ledger, identifier: str) -> Any:
    """Set the customer's default card; a subscription with a card of its own keeps that one, as at Stripe."""
    session = ledger.get("billing_portal.session", identifier)
    customer = ledger.get("customer", session["customer"])
    try:
        with ledger.attempt():
            method = attached(ledger, chosen_method(ledger), customer["id"])
            with ledger.changing(customer, "customer.updated"):
                customer["invoice_settings"]["default_payment_method"] = method["id"]
    except StripeRefusal as refusal:
        return show_portal(ledger, identifier, str(refusal)), 402
    redirected = ((session["flow"] or {}).get("after_completion") or {}).get("redirect")
    if redirected:
        return redirect(redirected["return_url"], 303)
    return show_portal(ledger, identifier, saved=True)


def _view(world: World, action: Any) -> Any:
    def respond(identifier: str) -> Any:
        try:
            with world.transaction() as ledger:
                return action(ledger, identifier)
        except StripeRefusal as refusal:
            with world.transaction() as ledger:
                return _page(ledger, "notice", title="Nothing here", text=str(refusal)), refusal.status

    return respond


def _page(ledger: Ledger, template: str, **values: Any) -> str:
    return render_template(f"sandbox/{template}.html", merchant=policy.load(ledger).business_name, **values)


def _safe(url: str | None) -> str | None:
    """A link target only if it leads to a web page."""
    return url if url and urlsplit(url).scheme in ("http", "https") else None
