"""The planner in a real case: its tries are planned, written down whole, told in words, and made again bit for bit."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from itertools import pairwise
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.accounts import users
from app.campaigns.definition import MONTHLY, RetrySettings
from app.cli.explanations import explain
from app.models import CampaignVersion, Organization, RetryDecision, User
from app.recovery import holds, operator
from app.recovery.invariants import find_offences
from app.recovery.operator import Person
from app.recovery.replays import find_unfaithful, replay
from app.recovery.switching import switch
from app.retries.knowledge import SHIPPED
from app.vocabulary import AttemptSource, CaseState, ConnectionMode, HoldKind, RecoveredBy, Role, StepKind
from tests.integration.console.world import PASSWORD, PASSWORD_HASH
from tests.stage import LADDER, Stage
from tests.stories.customer import Browser


@pytest.fixture(autouse=True)
def _everything_is_as_promised(stage: Stage) -> Iterator[None]:
    yield
    with stage.context.database.system() as session:
        assert [*find_offences(session, stage.now), *find_unfaithful(session)] == []


def decisions(stage: Stage, invoice: str) -> list[RetryDecision]:
    case = stage.case(invoice)
    return sorted(stage.rows(RetryDecision, RetryDecision.case_id == case.id), key=lambda row: row.id)


def fail(stage: Stage, *script: str, **wanted: str) -> str:
    robin = stage.customer(name="Robin", email="robin@example.com", **wanted)
    return stage.fail(robin["customer"], *script)


def test_a_try_is_planned_made_and_accounted_for(stage: Stage) -> None:
    invoice = fail(stage, "insufficient_funds", "approve")
    (planned,) = decisions(stage, invoice)[-1:]
    (step,) = [one for one in stage.steps(invoice) if one.kind is StepKind.RETRY]
    assert (planned.kind, planned.reason, planned.at) == ("retry_planned", "planned", step.due_at)
    assert stage.now + timedelta(hours=47) < step.due_at
    assert 0 < (planned.propensity or 0) <= 1
    assert 0 < (planned.chance or 0) < 1
    stage.advance(days=27)
    case = stage.case(invoice)
    assert (case.state, case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.RETRY)
    ours = stage.attempts(invoice)[-1]
    followed = next(row for row in decisions(stage, invoice) if row.id == ours.decision["row"])
    assert ours.source is AttemptSource.RECOUP
    assert timedelta(0) <= ours.started_at - followed.decided_at < timedelta(minutes=1)
    assert all(replay(row, SHIPPED) is None for row in decisions(stage, invoice))


def test_an_altered_decision_is_found(stage: Stage) -> None:
    invoice = fail(stage, "insufficient_funds", "approve")
    row = decisions(stage, invoice)[-1]
    content = json.loads(row.record)
    content["candidates"][0]["value"] += 1e-12
    row.record = json.dumps(content, sort_keys=True)
    assert "weighed differently" in (replay(row, SHIPPED) or "")
    row.at = (row.at or stage.now) + timedelta(minutes=1)
    assert replay(row, SHIPPED)
    row.record = json.dumps({**content, "planner": "another release"}, sort_keys=True)
    assert replay(row, SHIPPED) is None


@pytest.mark.long
def test_an_answer_is_written_once_until_something_happens(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "insufficient_funds")
    before = [row.id for row in decisions(stage, invoice)]
    stage.stripe("POST", f"customers/{robin['customer']}", name="Robin Hood")
    stage.advance(hours=20)
    assert [row.id for row in decisions(stage, invoice)] == before


def test_what_is_not_tried_is_written_down_too(stage: Stage) -> None:
    invoice = fail(stage, "lost_card")
    row = decisions(stage, invoice)[-1]
    assert (row.kind, row.reason, row.propensity) == ("customer_asked", "card_refused", None)
    assert "lost" not in " ".join(mail.text_body or "" for mail in stage.messages(invoice)).lower()


@pytest.mark.long
def test_each_refusal_makes_a_new_plan_that_keeps_its_distance(stage: Stage) -> None:
    invoice = fail(stage, *6 * ["insufficient_funds"], card="pm_card_visa_debit")
    stage.advance(days=27)
    tries = [one.started_at for one in stage.attempts(invoice)]
    assert 2 <= len(tries) <= 5
    assert all(later - sooner >= timedelta(hours=48) for sooner, later in pairwise(tries))
    said = [row.chance for row in decisions(stage, invoice) if row.reason == "planned" and row.at and row.chance]
    assert said[0] != said[-1]


@pytest.mark.long
def test_a_try_that_a_person_asked_for_is_accounted_for_as_theirs(stage: Stage) -> None:
    invoice = fail(stage, "insufficient_funds", "approve")
    stage.advance(hours=3)
    operator.retry_now(stage.context, stage.organization_id, stage.case(invoice).id, Person("Olga"))
    stage.settle()
    assert stage.case(invoice).state is CaseState.RECOVERED
    ours = stage.attempts(invoice)[-1]
    assert [row.asked_by for row in decisions(stage, invoice) if row.id == ours.decision["row"]] == ["Olga"]


@pytest.mark.long
def test_a_case_whose_campaign_knows_no_plans_keeps_to_its_ladder(stage: Stage) -> None:
    stage.use_campaign(LADDER)
    with stage.context.database.organization(stage.organization_id) as session:
        newest = session.scalars(select(CampaignVersion).order_by(CampaignVersion.id.desc())).all()
        version = max(newest, key=lambda one: one.created_at)
        older = {**version.definition, "retries": {"ladder_days": [1, 3], "max_attempts": 2}}
        added = {"number": version.number + 1, "created_at": stage.now, "created_by": "an earlier release"}
        session.add(
            CampaignVersion(
                organization_id=stage.organization_id, campaign_id=version.campaign_id, definition=older, **added
            )
        )
    invoice = fail(stage, "insufficient_funds", "approve")
    row = decisions(stage, invoice)[-1]
    assert row.reason == "ladder"
    stage.advance(days=2)
    assert stage.case(invoice).recovered_by is RecoveredBy.RETRY


@pytest.mark.long
def test_observed_cases_leave_the_tries_to_stripe_and_say_so(stage: Stage) -> None:
    switch(stage.context, stage.organization_id, stage.connection_id, Person("Olga"), mode=ConnectionMode.OBSERVE)
    invoice = fail(stage, "insufficient_funds", "insufficient_funds", "approve")
    assert decisions(stage, invoice)[-1].kind == "left_to_stripe"
    stage.advance(days=8)
    assert stage.case(invoice).recovered_by is RecoveredBy.STRIPE_RETRY


@pytest.mark.long
def test_the_command_explains_a_case_in_words_and_as_json(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("app.cli.explanations"), "open_context", lambda: stage.context)
    invoice = fail(stage, "insufficient_funds")
    told = CliRunner().invoke(explain, [invoice])
    assert told.exit_code == 0, told.output
    for part in ("The next try is on", "with a chance of", "Next best", "tries on this card in 30 days", "->"):
        assert part in told.output
    weighed = json.loads(CliRunner().invoke(explain, [str(stage.case(invoice).id), "--json"]).output)
    assert sum(each["is_choice"] for each in weighed["candidates"]) == 1
    assert weighed["propensity"] == pytest.approx(
        next(each["probability"] for each in weighed["candidates"] if each["is_choice"])
    )
    assert "has no case" in CliRunner().invoke(explain, ["in_nothing"]).output
    stage.stripe("POST", f"invoices/{invoice}/pay", paid_out_of_band="true")
    stage.settle()
    ended = CliRunner().invoke(explain, [invoice]).output
    assert "The case has ended: recovered on" in ended
    assert "by out of band" in ended


@pytest.mark.long
def test_nothing_is_explored_with_large_amounts(stage: Stage) -> None:
    stage.use_campaign(MONTHLY.model_copy(update={"retries": RetrySettings(explore_up_to_dollars=10)}))
    invoice = fail(stage, "insufficient_funds")
    assert decisions(stage, invoice)[-1].propensity == 1.0


def test_a_promised_day_goes_before_the_plan(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "insufficient_funds", "approve")
    case, day = stage.case(invoice), stage.now + timedelta(days=4)
    with stage.context.database.organization(stage.organization_id) as session:
        holds.place(
            session,
            organization_id=stage.organization_id,
            customer_id=case.customer_id,
            case_id=case.id,
            kind=HoldKind.PROMISE,
            key="promise:test",
            reason="promised to pay",
            until=day,
            by="customer",
            now=stage.now,
        )
    assert decisions(stage, invoice)[-1].kind == "held_back"
    stage.advance(days=5)
    assert stage.case(invoice).recovered_by is RecoveredBy.RETRY
    assert stage.attempts(invoice)[-1].started_at - day < timedelta(hours=12)
    assert stage.attempts(invoice)[-1].decision["reason"] == "promised"


@pytest.mark.long
def test_a_switch_to_driving_plans_at_once(stage: Stage) -> None:
    switch(stage.context, stage.organization_id, stage.connection_id, Person("Olga"), mode=ConnectionMode.OBSERVE)
    invoice = fail(stage, "insufficient_funds", "approve")
    switch(stage.context, stage.organization_id, stage.connection_id, Person("Olga"), mode=ConnectionMode.DRIVE)
    stage.settle()
    last = decisions(stage, invoice)[-1]
    assert (last.kind, last.reason) == ("retry_planned", "planned")


def another_card(stage: Stage, customer: str, **wanted: object) -> None:
    assert stage.http.post(f"{stage.sandbox.url}/_sandbox/customers/{customer}/new-card", json=wanted, timeout=10).ok
    stage.settle()


def later_expiry(stage: Stage, customer: str) -> None:
    card = stage.stripe("get", f"customers/{customer}")["invoice_settings"]["default_payment_method"]
    stage.stripe("post", f"payment_methods/{card}", **{"card[exp_year]": stage.now.year + 5})
    stage.settle()


@pytest.mark.parametrize(
    "arrive",
    [
        lambda stage, customer: another_card(stage, customer, by="operator", script=["do_not_honor"]),
        lambda stage, customer: another_card(stage, customer, by="updater"),
        later_expiry,
    ],
    ids=["a new card", "the updater's number", "a later expiry"],
)
def test_a_card_that_changed_is_tried_at_once_and_planned_anew(
    stage: Stage, arrive: Callable[[Stage, str], None]
) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], *6 * ["insufficient_funds"])
    planned = decisions(stage, invoice)[-1]
    stage.advance(hours=5)
    arrive(stage, robin["customer"])
    news = [row for row in decisions(stage, invoice) if row.id > planned.id]
    assert (news[0].reason, news[0].at) == ("new_card", news[0].decided_at)
    tried = stage.attempts(invoice)[-1]
    assert tried.decision["row"] == news[0].id
    assert tried.started_at - news[0].decided_at < timedelta(minutes=1)
    if stage.case(invoice).state is CaseState.WAITING:
        assert news[-1].news_at >= tried.started_at


@pytest.mark.long
def test_a_planned_step_says_in_words_why_it_stands_there(stage: Stage) -> None:
    invoice = fail(stage, "insufficient_funds")
    assert [step.why for step in stage.steps(invoice) if step.kind is StepKind.RETRY] == [
        "the most promising moment within the rules"
    ]


@pytest.mark.long
def test_an_earlier_case_of_the_customer_is_known_to_the_next_plan(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    stage.fail(robin["customer"], "insufficient_funds", "insufficient_funds", "approve")
    stage.advance(days=27)
    invoice = stage.fail(robin["customer"], "insufficient_funds")
    known = json.loads(decisions(stage, invoice)[-1].record)["facts"]["known_paydays"]
    assert known
    assert json.loads(decisions(stage, invoice)[-1].record)["facts"]["tenure_days"] is not None


def test_the_page_of_a_case_shows_what_was_weighed(stage: Stage) -> None:
    invoice = fail(stage, "insufficient_funds")
    with stage.context.database.system() as session:
        organization = session.get_one(Organization, stage.organization_id)
        user = User(id=uuid4(), email="ann@example.net", name="Ann", password_hash=PASSWORD_HASH, created_at=stage.now)
        session.add(user)
        session.flush()
        users.add_member(session, organization, user, Role.ANALYST, stage.now)
    browser = Browser().open(f"{stage.base_url}/sign-in").submit("sign-in", email=user.email, password=PASSWORD)
    page = browser.open(f"{stage.base_url}/cases/{stage.case(invoice).id}").text
    for part in ("The next try is on", "What was weighed", "chosen", "1 of 10 tries on this card in 30 days"):
        assert part in page
