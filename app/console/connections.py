"""The Stripe accounts of an organization: who retries, whether the key works, when Stripe was last heard of."""

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from app.console import current
from app.console.blueprint import console
from app.inbox.errands import looking
from app.models import Connection, InboxEvent
from app.vocabulary import ErrandKind


@console.get("/connections")
def connections() -> ResponseReturnValue:
    last_event = (
        select(func.max(InboxEvent.received_at)).where(InboxEvent.connection_id == Connection.id).scalar_subquery()
    )
    with current.rows() as session:
        found = session.execute(select(Connection, last_event).order_by(Connection.created_at)).all()
        looks, trouble = looking.newest(session, ErrandKind.RECONCILE), looking.endpoint_trouble(session)
    base_url = current.context().settings.base_url()
    return render_template(
        "console/connections.html", connections=found, base_url=base_url, looks=looks, trouble=trouble
    )
