"""The past becomes history: complete, once, and without a message, a charge or a case. Old debts wait for a word."""

from datetime import timedelta
from typing import Any

import pytest

from app.accounts.connections import gateway_for
from app.inbox.backfill.old_debts import old_debts
from app.inbox.backfill.past import why_not_asked
from app.models import ChargeAttempt, Connection, Invoice, Message, PastAttempt, PastFailure, RecoveryCase
from app.recovery.invariants import find_offences
from app.recovery.past import past_stories, past_uses_of_card
from app.recovery.reading import read_invoice
from app.vocabulary import (
    AttemptSource,
    AttemptState,
    CaseOrigin,
    CaseState,
    ErrandKind,
    PastOutcome,
    RecoveredBy,
    StepKind,
)
from tests.integration.errands.conftest import backfill, connection_of, run
from tests.stage import LADDER, Stage


def as_of_now(stage: Stage) -> None:
    """The connection was made only now: whatever happened before is its past."""
    with stage.context.database.organization(stage.organization_id) as session:
        connection = session.get_one(Connection, stage.connection_id)
        connection.created_at = stage.now
    for endpoint in stage.stripe("GET", "webhook_endpoints")["data"]:
        stage.stripe("POST", f"webhook_endpoints/{endpoint['id']}", disabled="false")


def live_unheard(stage: Stage) -> None:
    """What happens from now on happens before Recoup: Stripe retries, and nobody hears of it."""
    for endpoint in stage.stripe("GET", "webhook_endpoints")["data"]:
        stage.stripe("POST", f"webhook_endpoints/{endpoint['id']}", disabled="true")


def fail(stage: Stage, *script: Any, customer: str | None = None) -> str:
    owner = customer or stage.customer(timezone="Europe/Berlin", country="DE")["customer"]
    return str(stage.control("fail", customer=owner, script=list(script))["invoice"])


def past(stage: Stage, invoice: str) -> PastFailure:
    (row,) = stage.rows(Invoice, Invoice.stripe_id == invoice)
    (found,) = stage.rows(PastFailure, PastFailure.invoice_id == row.id)
    return found  # type: ignore[no-any-return]


def test_the_past_is_kept_with_every_try_and_its_end(stage: Stage) -> None:
    live_unheard(stage)
    came_back = fail(stage, "insufficient_funds", "insufficient_funds", "approve")
    still_open = fail(stage, "do_not_honor")
    stage.advance(days=20)
    as_of_now(stage)
    progress = backfill(stage)
    assert (progress.standing, progress.counts["failures"]) == ("done", 2)
    paid, unpaid = past(stage, came_back), past(stage, still_open)
    assert (paid.outcome, paid.paid_by, paid.decline_class) == (
        PastOutcome.PAID,
        RecoveredBy.STRIPE_RETRY,
        "soft_timed",
    )
    assert paid.paid_at
    assert paid.paid_at > paid.failed_at
    assert (paid.timezone, paid.customer_country, paid.card_brand) == ("Europe/Berlin", "DE", "visa")
    assert (unpaid.outcome, unpaid.paid_at, unpaid.not_asked_because) == (PastOutcome.OPEN, None, None)
    tries = sorted(stage.rows(PastAttempt, PastAttempt.past_failure_id == paid.id), key=lambda row: row.started_at)
    assert [row.state for row in tries] == [AttemptState.DECLINED, AttemptState.DECLINED, AttemptState.SUCCEEDED]
    assert {row.source for row in tries} == {AttemptSource.STRIPE}


def test_it_makes_no_case_no_mail_and_no_charge_and_reading_it_twice_changes_nothing(stage: Stage) -> None:
    live_unheard(stage)
    fail(stage, "insufficient_funds")
    stage.advance(days=20)
    as_of_now(stage)
    charged = len(stage.stripe("GET", "charges?limit=100")["data"])
    backfill(stage)
    before = [(row.id, row.failed_at, row.outcome) for row in stage.rows(PastFailure)]
    backfill(stage)
    stage.settle()
    assert [(row.id, row.failed_at, row.outcome) for row in stage.rows(PastFailure)] == before
    assert stage.rows(RecoveryCase) == stage.rows(Message) == stage.rows(ChargeAttempt) == []
    assert len(stage.stripe("GET", "charges?limit=100")["data"]) == charged


@pytest.mark.long
def test_a_failure_that_was_paid_within_the_hour_is_seen_by_its_charge_alone(stage: Stage) -> None:
    live_unheard(stage)
    invoice = fail(stage, "insufficient_funds", "approve")
    stage.stripe("POST", f"invoices/{invoice}/pay")
    as_of_now(stage)
    backfill(stage)
    assert (past(stage, invoice).outcome, past(stage, invoice).paid_by) == (PastOutcome.PAID, RecoveredBy.CUSTOMER)


def test_a_card_that_was_tried_before_counts_in_its_budgets(stage: Stage) -> None:
    live_unheard(stage)
    invoice = fail(stage, "insufficient_funds")
    stage.advance(days=3)
    as_of_now(stage)
    backfill(stage)
    tries = stage.rows(PastAttempt)
    with stage.context.database.organization(stage.organization_id) as session:
        month_ago = stage.now - timedelta(days=30)
        uses = past_uses_of_card(session, stage.connection_id, str(tries[0].fingerprint), month_ago)
        (story,) = past_stories(session, stage.now - timedelta(days=700))
    assert len(uses) == len(tries) == len(story.attempts) >= 2
    assert story.failure.id == past(stage, invoice).id


def test_old_debts_become_cases_as_of_the_day_they_are_asked_for(stage: Stage) -> None:
    stage.use_campaign(LADDER)
    live_unheard(stage)
    invoice = fail(stage, "insufficient_funds")
    stage.control("settings", end_behavior="past_due", retries="smart")
    stage.advance(days=22)
    as_of_now(stage)
    backfill(stage)
    with stage.context.database.organization(stage.organization_id) as session:
        (debts,) = old_debts(session, stage.connection_id)
    assert (debts.invoices, debts.customers, debts.owed.minor, debts.owed.currency) == (1, 1, 4900, "usd")
    progress = run(stage, ErrandKind.OLD_DEBTS)
    assert progress.counts == {"opened": 1}
    case = stage.case(invoice)
    assert (case.origin, case.state, case.failed_at) == (CaseOrigin.OLD_DEBT, CaseState.WAITING, case.opened_at)
    tries_and_mails = [step for step in stage.steps(invoice) if step.kind in (StepKind.RETRY, StepKind.MESSAGE)]
    assert min(step.due_at for step in tries_and_mails) > case.opened_at
    assert AttemptSource.RECOUP not in {row.source for row in stage.attempts(invoice)}
    stage.advance(days=3)
    assert AttemptSource.RECOUP in {row.source for row in stage.attempts(invoice)}
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []


@pytest.mark.long
def test_a_customer_with_many_old_debts_gets_one_mail_for_all_of_them(stage: Stage) -> None:
    live_unheard(stage)
    owner = stage.customer()["customer"]
    invoices = [fail(stage, "stolen_card", customer=owner) for _ in range(3)]
    stage.advance(days=16)
    as_of_now(stage)
    backfill(stage)
    assert run(stage, ErrandKind.OLD_DEBTS).counts["opened"] >= 3
    stage.advance(days=1)
    sent = [mail for mail in stage.rows(Message) if mail.accepted_at]
    assert len(sent) == 1
    assert {mail.reason for mail in stage.rows(Message) if not mail.accepted_at} == {"named_elsewhere"}
    assert all(stage.case(invoice).state is CaseState.NEEDS_CUSTOMER for invoice in invoices)


@pytest.mark.long
def test_who_left_on_request_is_not_asked(stage: Stage) -> None:
    live_unheard(stage)
    made = stage.customer()
    invoice = fail(stage, "insufficient_funds", customer=made["customer"])
    stage.stripe("DELETE", f"subscriptions/{made['subscription']}")
    stage.advance(days=2)
    as_of_now(stage)
    backfill(stage)
    assert past(stage, invoice).not_asked_because == "the subscription was cancelled on request"
    assert run(stage, ErrandKind.OLD_DEBTS).counts == {}
    assert stage.rows(RecoveryCase) == []
    assert connection_of(stage).status == "active"
    reading = read_invoice(gateway_for(stage.context, connection_of(stage)), invoice, stage.now)
    assert why_not_asked(reading, was_ended_by_us=False)
    assert why_not_asked(reading, was_ended_by_us=True) is None
