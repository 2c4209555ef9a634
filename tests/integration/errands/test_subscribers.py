"""Everybody who is subscribed is known, whether or not a payment of theirs ever failed: for segments and coverage."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app.models import Customer, InboxEvent, Subscription
from app.recovery.coverage import coverage
from app.recovery.segment_facts import renewals
from tests.integration.errands.conftest import backfill
from tests.integration.errands.test_backfill import live_unheard
from tests.stage import Stage


def known(stage: Stage) -> dict[str, tuple[str | None, str | None]]:
    """Country and plan of every living subscription, by its id."""
    with stage.context.database.organization(stage.organization_id) as session:
        found = list(renewals(session, stage.now))
        assert coverage(session, stage.now).subscriptions == len(found)
    return {one.subscription_id: (one.facts.country, one.facts.plan) for one in found}


def test_whoever_subscribes_is_known_at_once_and_followed_without_asking_stripe(stage: Stage) -> None:
    made = stage.customer(country="DE", plan="Wholesale")
    customer, subscription = made["customer"], made["subscription"]
    stage.settle()
    assert known(stage) == {subscription: ("DE", "Wholesale")}
    stage.stripe("POST", f"customers/{customer}", **{"metadata[tier]": "gold"})
    stage.settle()
    (row,) = stage.rows(Customer)
    assert row.stripe_metadata["tier"] == "gold"
    stage.stripe("DELETE", f"subscriptions/{subscription}")
    stage.settle()
    assert known(stage) == {}
    outcomes = {event.outcome for event in stage.rows(InboxEvent, InboxEvent.type.like("customer.subscription.%"))}
    assert outcomes == {"noted; no case"}


def test_the_past_brings_those_who_subscribed_before_and_nobody_who_has_left(stage: Stage) -> None:
    live_unheard(stage)
    staying = [stage.customer(country=country)["customer"] for country in ("FR", "US")]
    gone = stage.customer()["subscription"]
    stage.stripe("DELETE", f"subscriptions/{gone}")
    assert known(stage) == {}
    progress = backfill(stage)
    assert (progress.standing, progress.counts["subscriptions"]) == ("done", 2)
    assert {country for country, _ in known(stage).values()} == {"FR", "US"}
    assert {row.stripe_id for row in stage.rows(Customer)} == set(staying)
    assert gone not in {row.stripe_id for row in stage.rows(Subscription)}


def test_news_of_the_second_in_which_a_customer_was_read_is_not_lost(stage: Stage) -> None:
    customer = stage.customer()["customer"]
    stage.settle()
    stage.stripe("POST", f"customers/{customer}", **{"metadata[tier]": "gold"})
    news = stage.stripe("GET", "events?type=customer.updated&limit=1")["data"][0]
    with stage.context.database.organization(stage.organization_id) as session:
        row = session.scalars(select(Customer)).one()
        row.refreshed_at = datetime.fromtimestamp(news["created"], UTC) + timedelta(microseconds=1)
    stage.settle()
    (row,) = stage.rows(Customer)
    assert row.stripe_metadata["tier"] == "gold"
