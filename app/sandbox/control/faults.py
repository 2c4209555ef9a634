"""Settings, outages and faults."""

from dataclasses import asdict

from flask import Blueprint

from app.sandbox import issuer, policy
from app.sandbox.control.desk import Desk, body, view
from app.sandbox.faults import Fault
from app.sandbox.store import Doc


def blueprint(desk: Desk) -> Blueprint:
    """The routes under `/_sandbox/settings`, `/outage` and `/faults`."""
    routes = Blueprint("control_faults", __name__, url_prefix="/_sandbox")

    def show_settings() -> Doc:
        with desk.ledger() as ledger:
            return asdict(policy.load(ledger))

    def settings() -> Doc:
        with desk.ledger() as ledger:
            return asdict(policy.change(ledger, **_settings(body())))

    def outage() -> Doc:
        with desk.ledger() as ledger:
            until = ledger.now + int(float(body()["minutes"]) * 60)
            issuer.begin_outage(ledger, until)
            return {"until": until}

    def listed() -> Doc:
        return {"faults": [asdict(fault) for fault in desk.faults.listed()]}

    def add() -> Doc:
        desk.faults.add(Fault(**body()))
        return listed()

    def clear() -> Doc:
        desk.faults.clear()
        return listed()

    routes.add_url_rule("/settings", "show_settings", view(show_settings), methods=["GET"])
    routes.add_url_rule("/settings", "settings", view(settings), methods=["POST"])
    routes.add_url_rule("/outage", "outage", view(outage), methods=["POST"])
    routes.add_url_rule("/faults", "listed", view(listed), methods=["GET"])
    routes.add_url_rule("/faults", "add", view(add), methods=["POST"])
    routes.add_url_rule("/faults", "clear", view(clear), methods=["DELETE"])
    return routes


def _settings(given: Doc) -> Doc:
    """`retries` may carry its days: `custom:3,5,7`."""
    retries = given.get("retries")
    if isinstance(retries, str) and retries.startswith("custom:"):
        days = [float(day) for day in retries.removeprefix("custom:").strip("[] ").split(",") if day]
        return {**given, "retries": "custom", "retry_days": days}
    return given
