"""Every mail to a customer: the list, one mail with what became of it, and the mail as the customer sees it.

The mail's HTML is shown in a frame of its own, whose policy allows no script, no form and no request but for images.
"""

from uuid import UUID

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.console import current, wanted
from app.console.blueprint import console
from app.console.mail_frame import framed, framing
from app.console.paging import read_page
from app.models import Customer, DeliveryEvent, Message
from app.vocabulary import MessageState


@console.get("/outbox")
def outbox() -> ResponseReturnValue:
    state = wanted.word("state", MessageState)
    query = (
        select(Message, Customer)
        .join(Customer, Customer.id == Message.customer_id)
        .order_by(Message.planned_at.desc(), Message.id)
    )
    if state:
        query = query.where(Message.state == state)
    with current.rows() as session:
        page = read_page(session, query)
    return render_template("console/outbox.html", page=page, states=tuple(MessageState), state=state)


@console.get("/outbox/<uuid:message_id>")
def message(message_id: UUID) -> ResponseReturnValue:
    with current.rows() as session:
        found = session.get(Message, message_id) or abort(404)
        customer = session.get_one(Customer, found.customer_id)
        happened = session.scalars(
            select(DeliveryEvent).where(DeliveryEvent.message_id == message_id).order_by(DeliveryEvent.happened_at)
        ).all()
    page = render_template("console/message.html", message=found, customer=customer, delivery_events=happened)
    return framing(page)


@console.get("/outbox/<uuid:message_id>/html")
def message_html(message_id: UUID) -> ResponseReturnValue:
    with current.rows() as session:
        found = session.get(Message, message_id)
    if found is None or found.html_body is None:
        abort(404)
    return framed(found.html_body)
