"""Sample customers on request."""

from flask import Blueprint

from app.sandbox.control.desk import Desk, asked, view
from app.sandbox.control.wishes import SampleWish
from app.sandbox.seed import seed
from app.sandbox.store import Doc


def blueprint(desk: Desk) -> Blueprint:
    """The route `/_sandbox/seed`: `customers`, `months`, `number`, `fail_at_once`."""
    routes = Blueprint("control_samples", __name__, url_prefix="/_sandbox")

    def make() -> Doc:
        with desk.ledger() as ledger:
            return seed(ledger, **asked(SampleWish).model_dump())

    routes.add_url_rule("/seed", "seed", view(make), methods=["POST"])
    return routes
