"""Sample customers on request: those with a script for each way to fail, and crowds that behave by themselves."""

from flask import Blueprint

from app.sandbox import behaving
from app.sandbox.control.desk import Desk, asked, view
from app.sandbox.control.wishes import CrowdWish, SampleWish
from app.sandbox.issuers.parameters import segments
from app.sandbox.population import Crowd, settle
from app.sandbox.seed import seed
from app.sandbox.store import Doc

_AT_ONCE = 50  # people made in one transaction; in between others have their turn


def blueprint(desk: Desk) -> Blueprint:
    """The routes `/_sandbox/seed`, `/population`, `/behaviours` and `/customers/<id>/payer`."""
    routes = Blueprint("control_samples", __name__, url_prefix="/_sandbox")

    def make() -> Doc:
        with desk.ledger() as ledger:
            return seed(ledger, **asked(SampleWish).model_dump())

    def populate() -> Doc:
        wish = asked(CrowdWish)
        crowd = Crowd(wish.customers, wish.behaviours, wish.number, wish.within_days, wish.read_mail)
        return {"customers": settle_all(desk, crowd)}

    def behaviours() -> Doc:
        return {"behaviours": segments()}

    def payer(customer: str) -> Doc:
        with desk.ledger(customer) as ledger:
            return behaving.described(ledger, customer)

    routes.add_url_rule("/seed", "seed", view(make), methods=["POST"])
    routes.add_url_rule("/population", "populate", view(populate), methods=["POST"])
    routes.add_url_rule("/behaviours", "behaviours", view(behaviours), methods=["GET"])
    routes.add_url_rule("/customers/<customer>/payer", "payer", view(payer), methods=["GET"])
    return routes


def settle_all(desk: Desk, crowd: Crowd) -> list[Doc]:
    """Make the whole crowd, some people at a time."""
    made: list[Doc] = []
    for begin in range(0, crowd.customers, _AT_ONCE):
        with desk.ledger() as ledger:
            made += settle(ledger, crowd, range(begin, min(begin + _AT_ONCE, crowd.customers)))
    return made
