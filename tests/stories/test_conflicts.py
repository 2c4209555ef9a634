"""Two engines on one payment, or none: found within one event, said with what to click, over by themselves."""

from datetime import timedelta

import pytest

from app.accounts import conflicts
from app.campaigns.definition import MONTHLY, CampaignDefinition
from app.models import Conflict, Connection
from app.recovery import operator
from app.recovery.invariants import find_offences
from app.recovery.operator import Person
from app.recovery.switching import switch
from app.vocabulary import AttemptSource, CaseState, ConflictKind, ConnectionMode, Enforcement, RecoveredBy
from tests.integration.errands.conftest import reconcile
from tests.stage import LADDER, Stage

OWNER = Person("Olga")
either_timing = pytest.mark.parametrize("campaign", [MONTHLY, LADDER], ids=["planned", "ladder"])
OBSERVE, DRIVE, WARN = ConnectionMode.OBSERVE, ConnectionMode.DRIVE, Enforcement.WARN


@pytest.fixture(autouse=True)
def _everything_is_as_promised(stage: Stage) -> object:
    yield
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []


def to(stage: Stage, mode: ConnectionMode, enforcement: Enforcement = Enforcement.ENFORCE) -> None:
    switch(stage.context, stage.organization_id, stage.connection_id, OWNER, mode=mode, enforcement=enforcement)
    stage.settle()


def fail(stage: Stage, *script: str, **wanted: str) -> str:
    robin = stage.customer(name="Robin", email="robin@example.com", **wanted)
    return stage.fail(robin["customer"], *script)


def standing(stage: Stage) -> list[ConflictKind]:
    with stage.context.database.organization(stage.organization_id) as session:
        return [one.kind for one in conflicts.standing(session, session.get_one(Connection, stage.connection_id))]


def recurring(stage: Stage) -> conflicts.Recurring | None:
    with stage.context.database.organization(stage.organization_id) as session:
        return conflicts.recurring(session, session.get_one(Connection, stage.connection_id), stage.now)


def over(stage: Stage) -> list[ConflictKind]:
    return [row.kind for row in stage.rows(Conflict) if row.resolved_at]


@either_timing
def test_an_invoice_taken_from_stripe_at_once_leaves_a_conflict_that_is_over(
    stage: Stage, campaign: CampaignDefinition
) -> None:
    stage.use_campaign(campaign)
    invoice = fail(stage, "insufficient_funds")
    assert standing(stage) == []
    assert over(stage) == [ConflictKind.STRIPE_PLANS_TRY]
    assert "conflict" in [entry.name for entry in stage.timeline(invoice)]


def test_taking_over_again_and_again_is_said_until_it_has_not_come_for_two_weeks(stage: Stage) -> None:
    assert recurring(stage) is None
    first = fail(stage, "insufficient_funds", "approve")
    fail(stage, "insufficient_funds", "approve")
    said = recurring(stage)
    assert said
    assert "for 2 invoices in the last 30 days" in said.title
    assert "turn Smart Retries" in said.advice
    to(stage, DRIVE, WARN)
    assert recurring(stage) is None
    to(stage, DRIVE)
    stage.control("settings", retries="off")
    stage.advance(days=13)
    assert recurring(stage)
    fail(stage, "insufficient_funds", "approve")
    stage.advance(days=2)
    assert recurring(stage) is None
    assert stage.case(first).state is CaseState.RECOVERED


@pytest.mark.long
def test_stripes_retries_while_recoup_only_warns_stand_until_they_are_turned_off(stage: Stage) -> None:
    to(stage, DRIVE, WARN)
    invoice = fail(stage, "insufficient_funds", "insufficient_funds", "insufficient_funds", "approve")
    assert standing(stage) == [ConflictKind.STRIPE_PLANS_TRY]
    assert stage.stripe("GET", f"invoices/{invoice}")["auto_advance"] is True
    stage.advance(days=3)
    assert standing(stage) == [ConflictKind.STRIPE_PLANS_TRY, ConflictKind.STRIPE_TRIED]
    assert {attempt.source for attempt in stage.attempts(invoice)} == {AttemptSource.STRIPE}, "never both"
    stage.stripe("POST", f"invoices/{invoice}", auto_advance="false")
    stage.settle()
    assert standing(stage) == []
    stage.advance(days=12)
    assert stage.case(invoice).recovered_by is RecoveredBy.RETRY


@either_timing
@pytest.mark.long
def test_somebody_else_turning_collection_on_again_is_seen_and_undone(
    stage: Stage, campaign: CampaignDefinition
) -> None:
    stage.use_campaign(campaign)
    invoice = fail(stage, *3 * ["insufficient_funds"], "approve")
    stage.stripe("POST", f"invoices/{invoice}", auto_advance="true")
    stage.settle()
    assert standing(stage) == [ConflictKind.STRIPE_PLANS_TRY]
    stage.advance(hours=1)
    assert stage.stripe("GET", f"invoices/{invoice}")["auto_advance"] is False
    assert standing(stage) == []
    stage.advance(days=14)
    assert stage.case(invoice).recovered_by is RecoveredBy.RETRY


@either_timing
@pytest.mark.long
def test_an_automatic_charge_of_a_driven_case_is_said_and_counted(stage: Stage, campaign: CampaignDefinition) -> None:
    stage.use_campaign(campaign)
    stage.control("settings", retries="custom:0.01,9")
    invoice = fail(stage, "insufficient_funds", "insufficient_funds", "approve")
    for _ in range(3):  # a stranger who insists: the taking over comes ever later
        stage.stripe("POST", f"invoices/{invoice}", auto_advance="true")
        stage.advance(minutes=25)
    assert ConflictKind.STRIPE_TRIED in over(stage) + standing(stage)
    assert AttemptSource.RECOUP not in [one.source for one in stage.attempts(invoice)][:2]


def test_nobody_retries_is_said_within_one_event_and_over_once_recoup_drives(stage: Stage) -> None:
    stage.use_campaign(LADDER)
    stage.control("settings", retries="off")
    to(stage, OBSERVE)
    invoice = fail(stage, "insufficient_funds", "approve")
    assert standing(stage) == [ConflictKind.NOBODY_RETRIES]
    to(stage, DRIVE)
    assert standing(stage) == []
    stage.advance(days=4)
    assert stage.case(invoice).recovered_by is RecoveredBy.RETRY


@pytest.mark.long
def test_collection_that_is_off_while_observing_is_said_and_over_once_it_is_on(stage: Stage) -> None:
    to(stage, OBSERVE)
    invoice = fail(stage, "insufficient_funds")
    assert standing(stage) == []
    stage.stripe("POST", f"invoices/{invoice}", auto_advance="false")
    stage.settle()
    assert standing(stage) == [ConflictKind.NOBODY_RETRIES]
    stage.stripe("POST", f"invoices/{invoice}", auto_advance="true")
    stage.settle()
    assert standing(stage) == []


@pytest.mark.long
def test_a_try_that_stripe_names_only_in_a_second_event_is_no_lasting_conflict(stage: Stage) -> None:
    stage.control("settings", billing_automations=True)
    to(stage, OBSERVE)
    invoice = fail(stage, "insufficient_funds", "approve")
    assert standing(stage) == []
    assert stage.case(invoice).state is CaseState.WAITING


def test_stripe_running_out_of_tries_is_no_conflict(stage: Stage) -> None:
    stage.control("settings", retries="custom:1", end_behavior="past_due")
    to(stage, OBSERVE)
    fail(stage, "insufficient_funds", "insufficient_funds")
    stage.advance(days=2)
    assert standing(stage) == []


@pytest.mark.parametrize("end", ["cancel", "unpaid"])
@pytest.mark.long
def test_stripe_ending_a_subscription_before_the_campaign_is_said_until_it_is_spared(stage: Stage, end: str) -> None:
    stage.control("settings", retries="custom:1", end_behavior=end)
    to(stage, OBSERVE)
    fail(stage, "insufficient_funds", "insufficient_funds")
    stage.advance(days=2)
    assert standing(stage) == [ConflictKind.STRIPE_ENDS_FIRST]
    stage.control("settings", retries="custom:1", end_behavior="past_due")
    fail(stage, "insufficient_funds", "insufficient_funds", card="pm_card_mastercard")
    stage.advance(days=2)
    assert standing(stage) == []


def test_a_conflict_of_a_stopped_case_does_not_outlive_it(stage: Stage) -> None:
    to(stage, DRIVE, WARN)
    invoice = fail(stage, "insufficient_funds")
    assert standing(stage) == [ConflictKind.STRIPE_PLANS_TRY]
    operator.stop_case(stage.context, stage.organization_id, stage.case(invoice).id, OWNER, "")
    assert standing(stage) == []


@pytest.mark.long
def test_recoup_keeps_clear_of_a_try_that_stripe_makes_about_now(stage: Stage) -> None:
    to(stage, OBSERVE)
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "insufficient_funds", "insufficient_funds", "approve")
    planned = stage.stripe("GET", f"invoices/{invoice}")["next_payment_attempt"]
    stage.advance(seconds=planned - stage.now.timestamp() - 120)
    card = stage.stripe("POST", "payment_methods/pm_card_mastercard/attach", customer=robin["customer"])["id"]
    settings = {"invoice_settings[default_payment_method]": card}
    stage.stripe("POST", f"customers/{robin['customer']}", **settings)
    stage.settle()
    assert AttemptSource.RECOUP not in [one.source for one in stage.attempts(invoice)]
    stage.advance(minutes=30)
    assert stage.case(invoice).state is CaseState.RECOVERED
    first, second, *rest = stage.attempts(invoice)
    assert [one.source for one in (first, second)] == 2 * [AttemptSource.STRIPE]
    assert all(one.started_at - second.started_at > timedelta(minutes=9) for one in rest)


@pytest.mark.long
def test_an_endpoint_of_another_recoup_is_said_until_it_is_gone(stage: Stage) -> None:
    elsewhere = "https://other.example.com/webhooks/stripe/0b0e1f0a-1111-4222-8333-444455556666"
    made = stage.stripe("POST", "webhook_endpoints", **{"url": elsewhere, "enabled_events[]": "invoice.paid"})
    reconcile(stage)
    assert standing(stage) == [ConflictKind.ANOTHER_RECOUP]
    stage.stripe("DELETE", f"webhook_endpoints/{made['id']}")
    reconcile(stage)
    assert standing(stage) == []
