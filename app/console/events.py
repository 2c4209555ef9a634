"""What Stripe told us: the newest webhooks, and those set aside with their reason, to be replayed by hand."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import defer

from app.console import current, wanted
from app.console.blueprint import console
from app.console.paging import read_page
from app.errors import RecoupError
from app.inbox.processing import LARGEST_ID, replay
from app.models import InboxEvent
from app.vocabulary import InboxState


@console.get("/events")
def events() -> ResponseReturnValue:
    state = wanted.word("state", InboxState)
    query = (
        select(InboxEvent).options(defer(InboxEvent.body)).order_by(InboxEvent.received_at.desc(), InboxEvent.id.desc())
    )
    if state:
        query = query.where(InboxEvent.state == state)
    with current.rows() as session:
        page = read_page(session, query)
    return render_template("console/events.html", page=page, states=tuple(InboxState), state=state)


@console.post("/events/<int:event_id>/replay")
def replay_event(event_id: int) -> ResponseReturnValue:
    person = current.person()
    with current.rows() as session:
        if event_id > LARGEST_ID or session.scalar(select(InboxEvent.id).where(InboxEvent.id == event_id)) is None:
            abort(404)
    try:
        replay(current.context(), person.organization.organization_id, event_id, person.user_name, person.user_id)
    except RecoupError as refusal:
        flash(f"Not done: {refusal}.", "bad")
    else:
        flash("The event is handled again within a minute.", "good")
    return redirect(url_for("console.events"), code=303)
