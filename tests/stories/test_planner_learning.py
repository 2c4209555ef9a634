"""What the planner learns from an organization's own cases and its past, and how a draft is judged by them."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import inspect, select

from app.cli.retries import retries
from app.models import (
    ChargeAttempt,
    Invoice,
    PastAttempt,
    PastFailure,
    RecoveryCase,
    RetryDecision,
    RetryKnowledge,
)
from app.recovery import learning
from app.retries.evaluation import load_world, policy_of
from app.retries.facts import DeclineSignals
from app.retries.knowledge import SHIPPED, read_knowledge
from app.retries.measuring.contest import opening
from app.retries.planner import consider
from app.vocabulary import AttemptSource, AttemptState, PastOutcome
from tests.stage import Stage
from workers import jobs


@pytest.fixture(autouse=True)
def _commands_speak_to_the_stage(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("app.cli.learning", "app.cli.explanations"):
        monkeypatch.setattr(import_module(name), "open_context", lambda: stage.context)


def run(*args: str) -> str:
    answer = CliRunner().invoke(retries, list(args))
    assert answer.exit_code == 0, answer.output
    return answer.output


def lessons(stage: Stage) -> list[RetryKnowledge]:
    return sorted(stage.rows(RetryKnowledge), key=lambda row: row.id)


def add_past(stage: Stage, count: int) -> None:
    """Failures from before Recoup whose cards had money on the 20th of the month, and on no day before it."""
    with stage.context.database.organization(stage.organization_id) as session:
        for number in range(count):
            years, month = divmod(stage.now.year * 12 + stage.now.month - 2 - number % 10, 12)
            failed = stage.now.replace(year=years, month=month + 1, day=4, hour=9)
            invoice = Invoice(
                id=uuid4(), organization_id=stage.organization_id, connection_id=stage.connection_id,
                stripe_id=f"in_past_{number}", customer_stripe_id="cus_past", status="paid", amount_due=3000,
                amount_paid=3000, amount_remaining=0, currency="usd", attempt_count=4, auto_advance=False,
                paid_out_of_band=False, refreshed_at=stage.now, invoiced_at=failed,
            )  # fmt: skip
            session.add(invoice)
            session.flush()
            failure = PastFailure(
                id=uuid4(), organization_id=stage.organization_id, connection_id=stage.connection_id,
                invoice_id=invoice.id, customer_stripe_id="cus_past", failed_at=failed, amount_due=3000,
                currency="usd", card_brand="visa", card_funding="debit", card_country="US",
                outcome=PastOutcome.PAID, read_at=stage.now,
            )  # fmt: skip
            session.add(failure)
            session.flush()
            days = [0.0, 4.0, 9.0, 16.1]
            session.add_all(_past_try(stage, failure, failed + timedelta(days=day), day > 16) for day in days)


def _past_try(stage: Stage, failure: PastFailure, at: datetime, is_paid: bool) -> PastAttempt:
    return PastAttempt(
        id=uuid4(), organization_id=stage.organization_id, connection_id=stage.connection_id,
        past_failure_id=failure.id, charge_id=f"ch_{uuid4()}", amount=3000, currency="usd", started_at=at,
        state=AttemptState.SUCCEEDED if is_paid else AttemptState.DECLINED, brand="visa",
        fingerprint=str(failure.id), signals={} if is_paid else {"decline_code": "insufficient_funds"},
    )  # fmt: skip


def test_with_few_cases_the_shipped_tables_are_kept_and_the_reason_is_said(stage: Stage) -> None:
    stage.fail(stage.customer()["customer"], "insufficient_funds")
    assert "1 cases are too few to learn from" in run("learn")
    (row,) = lessons(stage)
    assert (row.is_used, row.version, row.cases) == (False, SHIPPED.version, 1)


def test_the_past_before_recoup_is_learnt_from_and_the_next_plan_uses_it(stage: Stage) -> None:
    add_past(stage, 80)
    row = learning.learn_now(stage.context, stage.organization_id, "test")
    assert (row.cases, row.is_used) == (80, True)
    assert row.reason == "learnt from 80 cases"
    paydays = read_knowledge(row.content).paydays["US|debit"]
    likely = sum(paydays.get(f"monthly-{day}", 0.0) for day in range(13, 21))
    assert likely > sum(paydays.get(f"monthly-{day}", 0.0) for day in range(1, 13))
    stage.fail(stage.customer()["customer"], "insufficient_funds")
    assert {decision.knowledge for decision in stage.rows(RetryDecision)} == {row.version}


@pytest.mark.long
def test_a_plan_keeps_the_knowledge_it_was_made_with_until_there_is_news(stage: Stage) -> None:
    invoice = stage.fail(stage.customer()["customer"], *5 * ["insufficient_funds"])
    add_past(stage, 60)
    learnt = learning.learn_now(stage.context, stage.organization_id, "test").version
    stage.advance(days=27)
    used = [row.knowledge for row in sorted(stage.rows(RetryDecision), key=lambda row: row.id)]
    assert used[0] == SHIPPED.version
    assert used[-1] == learnt
    first_try = stage.attempts(invoice)[1]
    followed = next(row for row in stage.rows(RetryDecision) if row.id == first_try.decision["row"])
    assert followed.knowledge == SHIPPED.version


@pytest.mark.long
def test_the_clock_has_it_learnt_once_a_day(stage: Stage) -> None:
    def due() -> bool:
        with stage.context.database.system() as session:
            return stage.organization_id in learning.find_due(session, stage.now)

    assert due()
    jobs.learn_retries(str(stage.organization_id))
    jobs.learn_retries(str(stage.organization_id))
    assert (due(), len(lessons(stage))) == (False, 1)
    stage.advance(hours=25)
    assert due()


@pytest.mark.long
def test_what_was_learnt_can_be_carried_to_another_installation(stage: Stage, tmp_path: Path) -> None:
    add_past(stage, 60)
    learnt = learning.learn_now(stage.context, stage.organization_id, "test")
    counts = tmp_path / "counts.json"
    run("export", "--to", str(counts))
    assert "in_past" not in counts.read_text()
    assert "60 cases is used from now on" in run("import", str(counts))
    assert lessons(stage)[-1].version == learnt.version
    counts.write_text(json.dumps({"causes": "no"}))
    refused = CliRunner().invoke(retries, ["import", str(counts)])
    assert refused.exit_code == 1
    assert "no exported counts" in refused.output


@pytest.mark.long
def test_lessons_that_no_decision_was_made_with_are_forgotten_after_a_month(stage: Stage) -> None:
    add_past(stage, 60)
    used = learning.learn_now(stage.context, stage.organization_id, "test").version
    stage.fail(stage.customer()["customer"], "insufficient_funds")
    long_ago = stage.now - timedelta(days=31)
    with stage.context.database.organization(stage.organization_id) as session:
        for version, by in (("unused", "test"), (used, "test"), ("carried", learning.IMPORTED), ("recent", "test")):
            session.add(
                RetryKnowledge(
                    organization_id=stage.organization_id, learnt_at=stage.now if version == "recent" else long_ago,
                    by=by, version=version, is_used=True, reason="-", cases=1, gain=0.0, content=SHIPPED.to_json(),
                )
            )  # fmt: skip
            session.flush()
        learning.forget_unused(session, stage.now)
    assert [row.version for row in lessons(stage)] == [used, used, "carried", "recent"]


def add_logged_cases(stage: Stage, count: int) -> None:
    """Cases whose first try was drawn and answered, as the planner of this release would have written them down."""
    world, policy = load_world("us_consumer"), policy_of(28, 4, exploration_loss=0.01)
    with stage.context.database.organization(stage.organization_id) as session:
        template = session.scalars(select(RecoveryCase)).one()
        invoice = session.get_one(Invoice, template.invoice_id)
        for number, case in enumerate(world.cases(count, np.random.default_rng(5))):
            failure = replace(case.failure, failed_at=stage.now - timedelta(days=40))
            facts = opening(
                replace(failure, signals=DeclineSignals(decline_code="insufficient_funds")), f"case_{number}"
            )
            found = consider(facts, policy, facts.failed_at + timedelta(minutes=1))
            record = found.record
            assert record is not None
            chosen = record.candidates[record.choice]
            debt = copied(invoice, id=uuid4(), stripe_id=f"in_logged_{number}")
            session.add(debt)
            session.flush()
            logged = copied(template, id=uuid4(), invoice_id=debt.id, failed_at=facts.failed_at)
            session.add(logged)
            session.flush()
            row = RetryDecision(
                organization_id=stage.organization_id, case_id=logged.id, decided_at=facts.failed_at,
                news_at=facts.failed_at, kind="retry_planned", reason="planned", rules=[], summary="-", mark="-",
                at=datetime.fromisoformat(chosen.at), knowledge=record.knowledge, propensity=chosen.probability,
                chance=chosen.chance, record=record.to_json(),
            )  # fmt: skip
            session.add(row)
            session.flush()
            session.add(
                ChargeAttempt(
                    id=uuid4(), organization_id=stage.organization_id, connection_id=stage.connection_id,
                    case_id=logged.id, number=1, source=AttemptSource.RECOUP, idempotency_key=f"logged-{number}",
                    state=AttemptState.SUCCEEDED if number % 3 == 0 else AttemptState.DECLINED, amount=3000,
                    currency="usd", started_at=datetime.fromisoformat(chosen.at), decision={"row": row.id},
                )
            )  # fmt: skip


def copied(row: Any, **changes: Any) -> Any:
    """A new row with the values of `row` but for `changes`."""
    values = {column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs}
    return type(row)(**{**values, **changes})


@pytest.mark.long
def test_a_draft_is_judged_by_hundreds_of_drawn_tries_and_tells_the_cards_budget(stage: Stage) -> None:
    stage.fail(stage.customer()["customer"], "lost_card")
    add_logged_cases(stage, 260)
    found = json.loads(run("replay", "--since", "2020-01-01", "--attempts", "4", "--exploration", "0.01", "--json"))
    assert (found["cases"], found["with_tries"], found["recovered"]) == (260, 260, 87)
    rehearsal = found["rehearsal"]
    assert rehearsal["estimate"]["effective_cases"] >= 250
    assert abs(rehearsal["estimate"]["value"] - 1 / 3) < 0.25
    assert rehearsal["card_uses"] == [1.0, 1]
    assert rehearsal["card_cap"] == 10
    told = run("replay", "--since", "2020-01-01", "--attempts", "4", "--exploration", "0.01")
    assert "1.0 of 10 tries in 30 days are used on average, 1 at most" in " ".join(told.split())


@pytest.mark.long
def test_a_draft_is_not_judged_by_too_little(stage: Stage) -> None:
    stage.fail(stage.customer()["customer"], "insufficient_funds", "approve")
    stage.advance(days=27)
    refused = CliRunner().invoke(retries, ["replay", "--since", "2020-01-01"])
    assert refused.exit_code == 1
    assert "200 are needed" in " ".join(refused.output.split())
