"""Campaigns in the life of cases: who gets which, mails that answer events, people left alone, a case moved midway."""

from typing import Any

import pytest
from sqlalchemy import select

from app.campaigns.definition import CampaignDefinition
from app.models import CampaignVersion, Customer
from app.recovery import campaign_desk, customer_desk, moving
from app.recovery.campaign_cautions import told_by_stripe
from app.recovery.campaigns import add_version
from app.recovery.invariants import find_offences
from app.recovery.operator import Person
from app.vocabulary import CaseState, StepState
from tests.stage import Stage

OLGA = Person("Olga")
LADDER = {"timing": "ladder", "ladder_days": [1, 3, 5], "max_attempts": 3, "min_gap_hours": 24}
FIRST = {"key": "first", "kind": "payment_failed", "days": 0}


@pytest.fixture(autouse=True)
def _everything_is_as_promised(stage: Stage) -> object:
    yield
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []


def write(stage: Stage, slug: str, **content: Any) -> CampaignVersion:
    with stage.context.database.organization(stage.organization_id) as session:
        definition = CampaignDefinition.model_validate(content)
        told: dict[str, Any] = {"slug": slug, "name": slug, "definition": definition, "by": "test"}
        return add_version(session, **told, is_default=False, now=stage.now)


def kinds(stage: Stage, invoice: str) -> list[str]:
    return [mail.kind for mail in stage.messages(invoice) if mail.accepted_at]


def tag(stage: Stage, customer: str, *tags: str) -> None:
    with stage.context.database.organization(stage.organization_id) as session:
        row = session.scalars(select(Customer).where(Customer.stripe_id == customer)).one()
        customer_desk.tag(session, row.id, tags, OLGA, stage.now)


def test_a_second_soft_decline_is_answered_and_a_condition_by_decline_is_kept(stage: Stage) -> None:
    stage.use_campaign(
        CampaignDefinition.model_validate(
            {
                "retries": LADDER,
                "messages": [
                    FIRST,
                    {"key": "twice", "kind": "reminder", "days": 1, "anchor": "event", "on": "soft_decline_twice"},
                    {"key": "hard_only", "kind": "reminder", "days": 2, "decline_classes": ["hard"]},
                ],
            }
        )
    )
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "insufficient_funds", "insufficient_funds", "insufficient_funds", "approve")
    stage.advance(days=4)
    steps = {step.key: step for step in stage.steps(invoice)}
    assert steps["message:twice:1"].state is StepState.DONE
    assert steps["message:hard_only"].state is StepState.SKIPPED
    assert "it is only for payments declined because the card is unusable" in (steps["message:hard_only"].problem or "")
    assert kinds(stage, invoice) == ["payment_failed", "reminder"]


def test_whom_a_campaign_excludes_is_tried_quietly_and_keeps_the_subscription(stage: Stage) -> None:
    stage.use_campaign(
        CampaignDefinition.model_validate(
            {"retries": LADDER, "window_days": 8, "messages": [FIRST], "exclude": {"tag": "vip"}}
        )
    )
    robin = stage.customer(name="Robin", email="robin@example.com")
    first = stage.fail(robin["customer"], "insufficient_funds", "approve")
    stage.advance(days=2)
    assert stage.case(first).state is CaseState.RECOVERED
    tag(stage, robin["customer"], "vip")
    again = stage.fail(robin["customer"], "do_not_honor", "do_not_honor", "do_not_honor", "do_not_honor")
    stage.advance(days=12)
    case = stage.case(again)
    assert case.state is CaseState.EXHAUSTED
    assert len(stage.attempts(again)) == 4
    assert stage.messages(again) == []
    final = next(step for step in stage.steps(again) if step.key == "final_action")
    assert (final.state, final.problem) == (StepState.SKIPPED, "the campaign leaves this customer alone")
    assert stage.stripe("GET", f"subscriptions/{robin['subscription']}")["status"] == "past_due"


@pytest.mark.long
def test_prices_of_a_campaign_are_held_against_stripe(stage: Stage) -> None:
    product = stage.stripe("POST", "products", name="Basic")["id"]
    terms = {"unit_amount": 900, "currency": "usd", "product": product}
    monthly = stage.stripe("POST", "prices", **terms, **{"recurring[interval]": "month"})["id"]
    once = stage.stripe("POST", "prices", **terms)["id"]

    def told(**prices: str) -> list[str]:
        action = {"kind": "downgrade", "prices": prices}
        definition = CampaignDefinition.model_validate({"final_action": action})
        return list(told_by_stripe(stage.context, stage.organization_id, definition))

    assert told(usd=monthly) == []
    assert told(eur=monthly) == [f"final_action.prices: {monthly} is in USD at Stripe, and here it stands for EUR"]
    assert told(usd=once) == [f"final_action.prices: {once} is paid once, so no subscription can be on it"]
    (unknown,) = told(usd="price_doesnotexist")
    assert "Stripe knows no price price_doesnotexist" in unknown


def test_each_customer_follows_the_campaign_that_fits_them(stage: Stage) -> None:
    large = write(stage, "large", segment={"amount": {"usd": {"at_least": 1000}}}, messages=[FIRST])
    with stage.context.database.organization(stage.organization_id) as session:
        for _ in range(2):
            campaign_desk.put(session, large.campaign_id, True, OLGA, stage.now)
    small = stage.customer(name="Sam", email="sam@example.com", amount=4900, currency="usd")
    big = stage.customer(name="Lou", email="lou@example.com", amount=250000, currency="usd")
    opened = [stage.timeline(stage.fail(each["customer"], "expired_card"))[0].summary for each in (small, big)]
    assert "It follows Monthly plans, version 1: billed by the day, week or month." in opened[0]
    assert "It follows large, version 1: an amount of at least 1000 USD." in opened[1]


@pytest.mark.long
def test_a_case_that_is_moved_midway_goes_on_by_the_new_version_and_nobody_hears_twice(stage: Stage) -> None:
    stage.use_campaign(
        CampaignDefinition.model_validate(
            {"retries": {**LADDER, "max_attempts": 0}, "window_days": 10, "messages": [FIRST]}
        )
    )
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "expired_card")
    stage.advance(days=1)
    assert kinds(stage, invoice) == ["payment_failed"]
    later = write(
        stage,
        "monthly",
        retries=LADDER,
        window_days=20,
        messages=[FIRST, {"key": "later", "kind": "reminder", "days": 14}],
    )
    moved = moving.move(stage.context, stage.organization_id, [stage.case(invoice).id], later.id, OLGA)
    assert moved.cases == 1
    stage.advance(days=12)
    assert stage.case(invoice).state is CaseState.NEEDS_CUSTOMER
    stage.advance(days=3)
    assert kinds(stage, invoice) == ["payment_failed", "reminder"]
    stage.advance(days=6)
    assert stage.case(invoice).state is CaseState.EXHAUSTED
