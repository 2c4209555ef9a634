"""Customers and their cards on request."""

from flask import Blueprint

from app.sandbox import issuer
from app.sandbox.control.desk import Desk, body, view
from app.sandbox.staging import fail_now, new_card, subscribed_customer
from app.sandbox.store import Doc

DEFAULT_SCRIPT = "insufficient_funds"


def blueprint(desk: Desk) -> Blueprint:
    """The routes under `/_sandbox/customers`, `/fail`, `/cards` and `/invoices`."""
    routes = Blueprint("control_customers", __name__, url_prefix="/_sandbox")

    def create() -> Doc:
        with desk.ledger() as ledger:
            return subscribed_customer(ledger, body())

    def fail() -> Doc:
        given = body()
        with desk.ledger() as ledger:
            return fail_now(
                ledger, given["customer"], given.get("script") or [given.get("decline_code") or DEFAULT_SCRIPT]
            )

    def script(method: str) -> Doc:
        with desk.ledger() as ledger:
            ledger.get("payment_method", method)
            issuer.set_script(ledger, method, body()["script"])
            return {"payment_method": method, "script": body()["script"]}

    def replace_card(customer: str) -> Doc:
        with desk.ledger() as ledger:
            return new_card(ledger, customer, body())

    routes.add_url_rule("/customers", "create", view(create), methods=["POST"])
    routes.add_url_rule("/fail", "fail", view(fail), methods=["POST"])
    routes.add_url_rule("/cards/<method>/script", "script", view(script), methods=["POST"])
    routes.add_url_rule("/customers/<customer>/new-card", "new_card", view(replace_card), methods=["POST"])
    return routes
