"""Settings, outages and faults."""

from flask import Blueprint

from app.sandbox import issuer, policy
from app.sandbox.control.desk import Desk, asked, body, view
from app.sandbox.control.wishes import FaultWish, OutageWish
from app.sandbox.faults import KINDS, Fault
from app.sandbox.store import Doc


def blueprint(desk: Desk) -> Blueprint:
    """The routes under `/_sandbox/settings`, `/outage` and `/faults`."""
    routes = Blueprint("control_faults", __name__, url_prefix="/_sandbox")

    def show_settings() -> Doc:
        with desk.ledger() as ledger:
            return policy.load(ledger).model_dump()

    def settings() -> Doc:
        with desk.ledger() as ledger:
            return policy.change(ledger, **body()).model_dump()

    def outage() -> Doc:
        wish = asked(OutageWish)
        with desk.ledger() as ledger:
            until = ledger.now + int(wish.minutes * 60)
            issuer.begin_outage(ledger, until, wish.share)
            return {"until": until}

    def end_outage() -> Doc:
        with desk.ledger() as ledger:
            issuer.begin_outage(ledger, ledger.now)
            return {"until": None}

    def listed() -> Doc:
        with desk.ledger() as ledger:
            away = issuer.outage_until(ledger)
        return {"faults": [fault.public() for fault in desk.faults.listed()], "issuers_away_until": away}

    def add() -> Doc:
        added = desk.faults.add(Fault(**asked(FaultWish).model_dump()))
        return {**listed(), "added": added.id}

    def clear(fault: str | None = None) -> Doc:
        desk.faults.clear(fault)
        return listed()

    def kinds() -> Doc:
        return {"kinds": KINDS}

    routes.add_url_rule("/settings", "show_settings", view(show_settings), methods=["GET"])
    routes.add_url_rule("/settings", "settings", view(settings), methods=["POST"])
    routes.add_url_rule("/outage", "outage", view(outage), methods=["POST"])
    routes.add_url_rule("/outage", "end_outage", view(end_outage), methods=["DELETE"])
    routes.add_url_rule("/faults", "listed", view(listed), methods=["GET"])
    routes.add_url_rule("/faults", "add", view(add), methods=["POST"])
    routes.add_url_rule("/faults", "clear", view(clear), methods=["DELETE"])
    routes.add_url_rule("/faults/kinds", "kinds", view(kinds), methods=["GET"])
    routes.add_url_rule("/faults/<fault>", "clear_one", view(clear), methods=["DELETE"])
    return routes
