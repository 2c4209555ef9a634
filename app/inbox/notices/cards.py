"""Subscriptions that are charged soon with a card that will have expired by then: their customers hear of it.

Stripe lists them with their cards, so that nothing has to be known of customers who never failed to pay, and a card
that the network has renewed is seen as it is now.
"""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.inbox.errands.walk import Walk
from app.messages import notice_rules, notices, outbox
from app.messages.notice_rules import CardInUse, NoticeSettings
from app.models import Connection, Organization
from app.recovery.projections import write_customer, write_payment_method, write_subscription
from app.stripe_gateway.ahead import ChargedNext
from app.stripe_gateway.errors import LACKING


def look(walk: Walk) -> bool:
    """Look through one page of subscriptions; True when it was the last, or nobody is to be told."""
    settings = read_settings(walk)
    if not settings.card_expiring:
        return True
    place, now = walk.place("cards"), walk.context.clock.now()
    since = datetime.fromisoformat(place.setdefault("since", now.isoformat()))
    until = since + timedelta(days=settings.card_days)
    try:
        page = walk.gateway.charged_next_page(after=since, until=until, cursor=place.get("cursor"))
    except LACKING:
        walk.note("This server does not list subscriptions with their cards; nobody is told of a card that expires.")
        walk.commit()
        return True
    dying = [one for one in page.rows if notice_rules.card_notice(_as_read(one), settings, now)]
    place["cursor"] = page.cursor
    walk.count("subscriptions", len(page.rows))
    walk.commit(lambda session: _write(walk, session, dying, settings, now))
    return page.cursor is None


def read_settings(walk: Walk) -> NoticeSettings:
    """What the organization tells its customers before anything fails."""
    with walk.context.database.organization(walk.organization_id) as session:
        return notices.settings_of(session.get_one(Organization, walk.organization_id))


def _as_read(one: ChargedNext) -> CardInUse:
    card = one.payment_method.card if one.payment_method else None
    subscription = one.subscription
    return CardInUse(
        exp_month=card.exp_month if card else None,
        exp_year=card.exp_year if card else None,
        charged_at=subscription.current_period_end,
        subscription_status=subscription.status,
        is_ending=subscription.cancel_at_period_end or subscription.canceled_at is not None,
        is_paused=subscription.pause_collection is not None,
    )


def _write(walk: Walk, session: Session, found: list[ChargedNext], settings: NoticeSettings, now: datetime) -> None:
    connection = session.get_one(Connection, walk.connection.id)
    for one in found:
        customer = write_customer(session, connection, one.customer, now)
        subscription = write_subscription(session, connection, one.subscription, now)
        if one.payment_method is not None:
            write_payment_method(session, connection, one.payment_method, now)
        due = notice_rules.card_notice(notices.card_in_use(session, subscription, customer), settings, now)
        if due is not None:
            key = f"{due.key}:{subscription.stripe_id}"
            outbox.queue_notice(session, customer=customer, about=subscription, key=key, kind=due.kind, now=now)
            walk.count("told")
