"""Which campaign covers a payment, what is known for deciding it, and what would come to which today."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from app.campaigns.matching import SegmentFacts
from app.campaigns.segments import Rule
from app.campaigns.strict import CampaignInvalid
from app.models import Campaign, Customer, Invoice, PastFailure, Subscription
from app.money import Money
from app.recovery import campaign_desk, customer_desk
from app.recovery.campaigns import choose, in_force
from app.recovery.coverage import coverage, preview
from app.recovery.operator import NotAllowedNow
from app.recovery.segment_facts import facts_of_case
from app.rehearsal.ordering import make_order
from app.vocabulary import PastOutcome
from tests.integration.campaigns.conftest import BY, Desk
from tests.integration.messages.rows import START, write_case

TEAM = {"plan": "Team"}


def chosen(desk: Desk, facts: SegmentFacts) -> tuple[str, bool]:
    with desk.session() as session:
        choice = choose(in_force(session), facts)
        return choice.chosen.campaign.slug, choice.by_default


def test_the_first_campaign_in_order_that_fits_gets_the_case_and_the_default_the_rest(desk: Desk) -> None:
    desk.write("german", segment={"country": "DE"})
    desk.write("team", segment=TEAM)
    assert chosen(desk, SegmentFacts(country="DE", plan="Team")) == ("german", False)
    assert chosen(desk, SegmentFacts(country="FR", plan="Team")) == ("team", False)
    assert chosen(desk, SegmentFacts(country="FR", plan="Solo")) == ("monthly", True)


def test_the_order_that_people_set_decides(desk: Desk) -> None:
    desk.write("german", segment={"country": "DE"})
    desk.write("team", segment=TEAM)
    with desk.session() as session:
        team = session.query(Campaign).filter_by(slug="team").one()
        campaign_desk.put(session, team.id, True, BY, START)
    assert chosen(desk, SegmentFacts(country="DE", plan="Team")) == ("team", False)


def test_an_archived_campaign_gets_nobody_new_and_the_default_cannot_be_archived(desk: Desk) -> None:
    desk.write("german", segment={"country": "DE"})
    with desk.session() as session:
        german = session.query(Campaign).filter_by(slug="german").one()
        campaign_desk.archive(session, german.id, BY, START)
    assert chosen(desk, SegmentFacts(country="DE")) == ("monthly", True)
    with desk.session() as session, pytest.raises(CampaignInvalid, match="make another campaign the default first"):
        campaign_desk.archive(session, session.query(Campaign).filter_by(slug="monthly").one().id, BY, START)


def test_only_the_newest_version_is_asked(desk: Desk) -> None:
    desk.write("german", segment={"country": "DE"})
    desk.write("german", segment={"country": "AT"})
    assert chosen(desk, SegmentFacts(country="DE"))[0] == "monthly"
    assert chosen(desk, SegmentFacts(country="AT"))[0] == "german"


def test_a_decline_that_is_not_known_leaves_the_case_to_whoever_fits_for_sure(desk: Desk) -> None:
    desk.write("soft", segment={"decline_class": ["soft_timed"]})
    assert chosen(desk, SegmentFacts())[0] == "monthly"
    assert chosen(desk, SegmentFacts(decline_class="soft_timed"))[0] == "soft"


def test_what_a_segment_may_ask_comes_from_the_rows(desk: Desk) -> None:
    with desk.session() as session:
        customer = session.get_one(Customer, desk.rows.customer_id)
        customer.customer_since = START - timedelta(days=100, hours=3)
        customer.tags = ["Wholesale"]
        theirs = {
            "organization_id": customer.organization_id,
            "connection_id": customer.connection_id,
            "customer_stripe_id": customer.stripe_id,
            "currency": "eur",
        }
        for number, days in enumerate((20, 200, 500)):
            invoice = Invoice(
                id=uuid4(), stripe_id=f"in_past_{number}", status="paid", amount_due=1000, amount_paid=1000,
                amount_remaining=0, invoiced_at=START, refreshed_at=START, **theirs,
            )  # fmt: skip
            session.add(invoice)
            session.flush()
            failed = PastFailure(
                invoice_id=invoice.id, failed_at=START - timedelta(days=days), amount_due=1000, read_at=START,
                outcome=PastOutcome.PAID, **theirs,
            )  # fmt: skip
            session.add(failed)
        write_case(
            session, desk.rows.organization_id, desk.rows.connection_id, desk.rows.version_id, customer_id=customer.id
        )
        session.flush()
        facts = facts_of_case(session, desk.rows.case(session))
    assert facts.amount == Money(4900, "eur")
    assert (facts.plan, facts.interval, facts.country, facts.tenure_days) == ("Northwind Pro", "month", "DE", 100)
    assert facts.failures_last_year == 3  # two of the past that are young enough, and another open case
    assert facts.tags == {"vip", "early", "Wholesale"}
    assert facts.lifetime_value == {"eur": 3000}
    assert facts.metadata["tier"] == "gold"


def test_a_segment_is_tried_on_todays_subscriptions(desk: Desk) -> None:
    with desk.session() as session:
        write_case(session, desk.rows.organization_id, desk.rows.connection_id, desk.rows.version_id, name="Bo")
        gone = write_case(session, desk.rows.organization_id, desk.rows.connection_id, desk.rows.version_id, name="Cy")
        session.get_one(Subscription, gone.subscription_id).status = "canceled"
        session.flush()
        german = preview(session, Rule.model_validate({"country": "DE"}), START)
        soft = preview(session, Rule.model_validate({"decline_class": "hard"}), START)
        nobody = preview(session, None, START)
    assert (german.fits, german.depends, german.of) == (1, 0, 2)
    assert [one.customer for one in german.sample] == ["Anna Schmidt"]
    assert (soft.fits, soft.depends) == (0, 2)
    assert nobody.fits == 0


def test_coverage_tells_which_plans_fall_to_the_default_and_what_the_decline_may_change(desk: Desk) -> None:
    with desk.session() as session:
        other = write_case(session, desk.rows.organization_id, desk.rows.connection_id, desk.rows.version_id)
        session.get_one(Subscription, other.subscription_id).plan_name = "Solo"
    desk.write("hard", segment={"all": [{"decline_class": "hard"}, {"plan": "Solo"}]})
    desk.write("pro", segment={"plan": "Northwind Pro"}, exclude={"tag": "vip"})
    with desk.session() as session:
        found = coverage(session, START)
    solo, pro = found.plans
    assert (solo.plan, solo.by_default, solo.depends, dict(solo.campaigns)) == ("Solo", 1, 1, {"monthly": 1})
    assert (pro.plan, pro.by_default, pro.excluded, dict(pro.campaigns)) == ("Northwind Pro", 0, 1, {"pro": 1})
    assert found.campaigns == {"monthly": 1, "hard": 0, "pro": 1}
    assert (found.subscriptions, found.by_default, found.default) == (2, 1, "monthly")


def test_tags_are_kept_once_each_and_audited(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    with desk.session() as session:
        assert customer_desk.tag(session, desk.rows.customer_id, [" VIP ", "vip", "Beta"], BY, START)
        assert not customer_desk.tag(session, desk.rows.customer_id, ["Beta", "vip"], BY, START)
        assert session.get_one(Customer, desk.rows.customer_id).tags == ["Beta", "vip"]
        with pytest.raises(NotAllowedNow):
            customer_desk.tag(session, desk.rows.customer_id, ["x" * 41], BY, START)


def told_by_rehearsal(desk: Desk, slug: str) -> tuple[str, ...]:
    with desk.session() as session:
        return make_order(session, slug, cases=3, days=5, seed=1, mode=None, now=START).coverage


def test_a_rehearsal_knows_who_comes_to_a_campaign_by_more_than_its_interval(desk: Desk) -> None:
    desk.write("vip", segment={"tag": "vip"})
    desk.write("german", segment={"country": "DE"})
    desk.write("french", segment={"country": "FR"})
    assert told_by_rehearsal(desk, "vip") == ()
    unreached = "No plan reaches this campaign as things stand; it was rehearsed with whom its segment fits."
    assert told_by_rehearsal(desk, "german") == (unreached,)
    assert told_by_rehearsal(desk, "french") == (unreached,)
    desk.write("vip", segment={"tag": "somebody"})
    desk.write("german", segment={"country": "AT"})
    assert told_by_rehearsal(desk, "monthly") == (
        "No segment fits 1 of the 1 subscription to Northwind Pro: their failures fall to the default campaign.",
    )
