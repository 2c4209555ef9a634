"""Disputes on what an invoice charged, raised and closed, and warnings of them."""

from flask import Blueprint

from app.sandbox.billing import payments, reversals
from app.sandbox.control.desk import Desk, asked, view
from app.sandbox.control.wishes import DisputeWish, VerdictWish
from app.sandbox.errors import wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.store import Doc


def blueprint(desk: Desk) -> Blueprint:
    """The routes under `/_sandbox/invoices` and `/_sandbox/disputes`."""
    routes = Blueprint("control_invoices", __name__, url_prefix="/_sandbox")

    def dispute(invoice: str) -> Doc:
        with desk.ledger() as ledger:
            return reversals.dispute(ledger, _charge_of(ledger, invoice), asked(DisputeWish).reason)

    def warn(invoice: str) -> Doc:
        with desk.ledger() as ledger:
            return reversals.warn(ledger, _charge_of(ledger, invoice))

    def close(dispute: str) -> Doc:
        with desk.ledger() as ledger:
            return reversals.close_dispute(ledger, ledger.get("dispute", dispute), asked(VerdictWish).status)

    routes.add_url_rule("/invoices/<invoice>/dispute", "dispute", view(dispute), methods=["POST"])
    routes.add_url_rule("/invoices/<invoice>/fraud-warning", "warn", view(warn), methods=["POST"])
    routes.add_url_rule("/disputes/<dispute>/close", "close", view(close), methods=["POST"])
    return routes


def _charge_of(ledger: Ledger, invoice: str) -> Doc:
    intent = payments.intent_of(ledger, ledger.get("invoice", invoice))
    charge = ledger.find("charge", intent["latest_charge"] if intent else None)
    if charge is None:
        raise wrong_state("Nothing has been charged for this invoice.")
    return charge
