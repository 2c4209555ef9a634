"""Third stage: everybody who is subscribed today, so that a segment can be tried on customers who never failed to pay.

From then on events keep these copies up to date. Nobody is written to, and nothing is charged.
"""

from sqlalchemy.orm import Session

from app.inbox.errands.walk import Walk
from app.models import Connection
from app.recovery.projections import write_customer, write_subscription
from app.stripe_gateway.ahead import Subscriber
from app.stripe_gateway.errors import LACKING


def read(walk: Walk) -> bool:
    """Copy one page of living subscriptions with their customers; True when it was the last."""
    place, read_at = walk.place("subscribers"), walk.context.clock.now()
    try:
        page = walk.gateway.subscribers_page(cursor=place.get("cursor"))
    except LACKING:
        walk.note("This server does not list subscriptions; whom a segment fits is known only of those who failed.")
        walk.commit()
        return True

    def write(session: Session) -> None:
        connection = session.get_one(Connection, walk.connection.id)
        for one in sorted(page.rows, key=_in_one_order):
            write_customer(session, connection, one.customer, read_at)
            write_subscription(session, connection, one.subscription, read_at)

    place["cursor"] = page.cursor
    walk.count("subscriptions", len(page.rows))
    walk.commit(write)
    return page.cursor is None


def _in_one_order(one: Subscriber) -> str:
    """By customer: whoever writes many rows in one transaction locks them in the same order as others do."""
    return one.customer.id
