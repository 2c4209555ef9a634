"""What Stripe told us: the newest webhooks, and those set aside with their reason, to be replayed by hand."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import defer

from app.console import current
from app.console.blueprint import console
from app.console.paging import read_page
from app.models import InboxEvent
from app.vocabulary import InboxState


@console.get("/events")
def events() -> ResponseReturnValue:
    state = request.args.get("state", "")
    query = (
        select(InboxEvent).options(defer(InboxEvent.body)).order_by(InboxEvent.received_at.desc(), InboxEvent.id.desc())
    )
    if state in list(InboxState):
        query = query.where(InboxEvent.state == InboxState(state))
    with current.rows() as session:
        page = read_page(session, query)
    return render_template("console/events.html", page=page, states=tuple(InboxState), state=state)
