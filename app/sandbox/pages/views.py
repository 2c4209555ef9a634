"""The addresses of the pages: Checkout in setup mode, the hosted invoice, the customer portal, the bank's page.

Plain forms that work without JavaScript.
"""

from typing import Any

from flask import Blueprint, Response, send_from_directory

from app.sandbox.errors import StripeRefusal
from app.sandbox.pages import challenge, checkout, hosted_invoice, portal
from app.sandbox.pages.render import notice
from app.sandbox.world import World


def blueprint(world: World) -> Blueprint:
    """The routes `/c/pay/…`, `/i/…`, `/p/session/…` and `/3ds/…`."""
    pages = Blueprint("sandbox_pages", __name__, template_folder="templates")
    templates = f"{pages.root_path}/templates/sandbox"

    def style() -> Response:
        return send_from_directory(templates, "style.css", max_age=3600)

    def icon() -> Response:
        return send_from_directory(templates, "icon.svg", max_age=3600)

    pages.add_url_rule("/_sandbox/style.css", "style", style)
    pages.add_url_rule("/_sandbox/icon.svg", "icon", icon)
    pages.add_url_rule("/favicon.ico", "favicon", icon)  # what a browser asks for where no page names an icon
    pages.add_url_rule("/i/<identifier>/pdf", "pdf", _view(world, hosted_invoice.show_pdf))
    for name, rule, module in (
        ("checkout", "/c/pay/<identifier>", checkout),
        ("invoice", "/i/<identifier>", hosted_invoice),
        ("portal", "/p/session/<identifier>", portal),
        ("challenge", "/3ds/<identifier>", challenge),
    ):
        pages.add_url_rule(rule, name, _view(world, module.show), methods=["GET"])
        pages.add_url_rule(rule, f"{name}_answer", _view(world, module.answer), methods=["POST"])
    return pages


def _view(world: World, action: Any) -> Any:
    def respond(identifier: str) -> Any:
        try:
            with world.transaction(about=[identifier]) as ledger:
                return action(ledger, identifier)
        except StripeRefusal as refusal:
            with world.transaction() as ledger:
                return notice(ledger, "Nothing here", str(refusal)), refusal.status

    return respond
