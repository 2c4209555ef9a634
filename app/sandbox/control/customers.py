"""Customers and their cards on request."""

from flask import Blueprint

from app.sandbox import issuer
from app.sandbox.control.desk import Desk, asked, view
from app.sandbox.control.wishes import CustomerWish, FailWish, NewCardWish, ScriptWish
from app.sandbox.failing import fail_now
from app.sandbox.staging import new_card, subscribed_customer
from app.sandbox.store import Doc


def blueprint(desk: Desk) -> Blueprint:
    """The routes under `/_sandbox/customers`, `/fail`, `/cards` and `/invoices`."""
    routes = Blueprint("control_customers", __name__, url_prefix="/_sandbox")

    def create() -> Doc:
        with desk.ledger() as ledger:
            return subscribed_customer(ledger, asked(CustomerWish).given())

    def fail() -> Doc:
        wish = asked(FailWish)
        with desk.ledger(wish.customer) as ledger:
            return fail_now(ledger, wish.customer, wish.answers, wish.subscription)

    def script(method: str) -> Doc:
        wanted = asked(ScriptWish).script
        with desk.ledger() as ledger:
            ledger.get("payment_method", method)
            issuer.set_script(ledger, method, wanted)
            return {"payment_method": method, "script": wanted}

    def replace_card(customer: str) -> Doc:
        with desk.ledger(customer) as ledger:
            return new_card(ledger, customer, asked(NewCardWish).model_dump())

    routes.add_url_rule("/customers", "create", view(create), methods=["POST"])
    routes.add_url_rule("/fail", "fail", view(fail), methods=["POST"])
    routes.add_url_rule("/cards/<method>/script", "script", view(script), methods=["POST"])
    routes.add_url_rule("/customers/<customer>/new-card", "new_card", view(replace_card), methods=["POST"])
    return routes
