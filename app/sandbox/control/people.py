"""Customers who read their mail: making them so, bringing them mail, and what they did."""

from flask import Blueprint, request

from app.sandbox.control.desk import Desk, asked, view
from app.sandbox.control.wishes import ReaderWish
from app.sandbox.errors import missing, wrong_state
from app.sandbox.people import mailroom
from app.sandbox.store import Doc


def blueprint(desk: Desk) -> Blueprint:
    """The routes `/_sandbox/mail` (an RFC 5322 mail as the body) and `/_sandbox/customers/<id>/reader`."""
    routes = Blueprint("control_people", __name__, url_prefix="/_sandbox")

    def mail() -> Doc:
        raw = request.get_data()
        if not raw:
            raise wrong_state("Send a whole mail (message/rfc822) as the body.")
        return {"customers": desk.people.receive(raw)}

    def begin(customer: str) -> Doc:
        wish = asked(ReaderWish)
        with desk.ledger(customer) as ledger:
            mailroom.begin_reading(ledger, customer, wish.seed)
        return {"customer": customer, "diary": []}

    def show(customer: str) -> Doc:
        with desk.ledger(customer) as ledger:
            diary = mailroom.diary(ledger, customer)
        if diary is None:
            raise missing("reader", customer)
        return {"customer": customer, "diary": diary}

    routes.add_url_rule("/mail", "mail", view(mail), methods=["POST"])
    routes.add_url_rule("/customers/<customer>/reader", "begin", view(begin), methods=["POST"])
    routes.add_url_rule("/customers/<customer>/reader", "show", view(show), methods=["GET"])
    return routes
