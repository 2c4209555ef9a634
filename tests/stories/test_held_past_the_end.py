"""Somebody is left alone beyond the end of their campaign: the end waits until the final notice has had its days."""

from datetime import timedelta

import pytest

from app.campaigns.definition import MessageStep, RetrySettings
from app.models import Customer, Hold, Message, RecoveryCase
from app.recovery import customer_desk, holds
from app.recovery.closing import closes_at
from app.recovery.operator import Person
from app.recovery.planning import definition_of
from app.vocabulary import CaseState, HoldKind, StepState
from tests.stage import LADDER, Stage

OLGA = Person("olga@example.com")
(NOTICE,) = (message for message in LADDER.messages if message.kind == "final_notice")


def test_the_end_comes_as_long_after_the_final_notice_as_the_campaign_says(stage: Stage) -> None:
    stage.use_campaign(LADDER)
    invoice = stage.fail(stage.customer(timezone="America/New_York")["customer"], "do_not_honor")
    ends, grace = stage.case(invoice).window_ends_at, stage.case(invoice).grace_until
    until = ends + timedelta(days=1, hours=1)
    with stage.context.database.organization(stage.organization_id) as session:
        (customer,) = session.query(Customer)
        customer_desk.snooze(session, customer.id, until, OLGA, "on parental leave", stage.now)
    closes = until + timedelta(days=NOTICE.days)
    stage.advance(days=(until - stage.now) / timedelta(days=1) + 1)
    case = stage.case(invoice)
    assert case.state in (CaseState.WAITING, CaseState.NEEDS_CUSTOMER)
    with stage.context.database.organization(stage.organization_id) as session:
        assert closes_at(session, case, definition_of(session, case), stage.now) == closes
    (notice,) = stage.rows(Message, Message.kind == "final_notice")
    assert notice.claimed_at
    assert until <= notice.claimed_at < until + timedelta(hours=20)
    announced = [step.due_at for step in stage.steps(invoice) if step.kind == "window_end"]
    assert announced == [closes]
    stage.advance(days=(closes - stage.now) / timedelta(days=1) - 0.01)
    assert stage.case(invoice).state is not CaseState.EXHAUSTED
    stage.advance(days=0.02)
    assert stage.case(invoice).state is CaseState.EXHAUSTED
    (final,) = (step.due_at for step in stage.steps(invoice) if step.kind == "final_action")
    assert timedelta(0) <= final - closes - (grace - ends) < timedelta(minutes=5)


def test_a_hold_that_is_let_go_early_leaves_the_end_where_it_was(stage: Stage) -> None:
    stage.use_campaign(LADDER)
    invoice = stage.fail(stage.customer()["customer"], "do_not_honor")
    ends = stage.case(invoice).window_ends_at

    def end_on_the_calendar() -> object:
        return next(step.due_at for step in stage.steps(invoice) if step.kind == "window_end")

    with stage.context.database.organization(stage.organization_id) as session:
        (customer,) = session.query(Customer)
        customer_desk.snooze(session, customer.id, ends + timedelta(days=30), OLGA, "", stage.now)
    assert end_on_the_calendar() == ends + timedelta(days=30 + NOTICE.days)
    with stage.context.database.organization(stage.organization_id) as session:
        (hold,) = session.query(Hold)
        assert holds.release(session, hold, "a mistake", stage.now)
    assert end_on_the_calendar() == ends


def dispute(stage: Stage, invoice: str) -> None:
    """Put the case on hold without an end."""
    with stage.context.database.organization(stage.organization_id) as session:
        case = session.get_one(RecoveryCase, stage.case(invoice).id)
        about = {"organization_id": case.organization_id, "customer_id": case.customer_id, "case_id": case.id}
        why = {"kind": HoldKind.DISPUTE, "key": "dispute:1", "reason": "asked the bank", "by": "stripe"}
        assert holds.place(session, **about, **why, until=None, now=stage.now)


def test_after_a_dispute_that_outlasted_the_window_the_final_notice_comes_first(stage: Stage) -> None:
    stage.use_campaign(LADDER)
    made = stage.customer()
    invoice = stage.fail(made["customer"], "do_not_honor")
    dispute(stage, invoice)
    stage.advance(days=LADDER.window_days + 3)
    assert stage.rows(Message, Message.kind == "final_notice") == []
    with stage.context.database.organization(stage.organization_id) as session:
        (hold,) = session.query(Hold)
        released = stage.now
        assert holds.release(session, hold, "won", released)
    stage.advance(days=1)
    (notice,) = stage.rows(Message, Message.kind == "final_notice")
    assert notice.claimed_at
    assert stage.case(invoice).state is not CaseState.EXHAUSTED
    stage.advance(days=NOTICE.days - 1)
    assert stage.case(invoice).state is CaseState.EXHAUSTED
    exhausted_at = stage.case(invoice).exhausted_at
    assert exhausted_at
    assert exhausted_at - released >= timedelta(days=NOTICE.days)


def test_a_notice_that_other_mails_hold_up_still_comes_a_day_before_the_end(stage: Stage) -> None:
    last_words = MessageStep(key="last_words", kind="reminder", anchor="end", days=0.7)
    soon = NOTICE.model_copy(update={"days": 0.1})
    messages = (*(message for message in LADDER.messages if message is not NOTICE), last_words, soon)
    stage.use_campaign(LADDER.model_copy(update={"messages": messages}))
    invoice = stage.fail(stage.customer()["customer"], "do_not_honor")
    ends = stage.case(invoice).window_ends_at
    stage.advance(days=LADDER.window_days + 0.5)
    assert stage.case(invoice).state is not CaseState.EXHAUSTED
    stage.advance(days=1.2)
    (notice,) = stage.rows(Message, Message.kind == "final_notice")
    assert notice.claimed_at
    assert ends < notice.claimed_at
    stage.advance(days=1)
    case = stage.case(invoice)
    assert case.state is CaseState.EXHAUSTED
    assert case.exhausted_at
    assert case.exhausted_at - notice.claimed_at >= timedelta(days=1)


@pytest.mark.long
def test_an_end_that_had_to_wait_often_is_not_given_up_at_the_first_trouble(stage: Stage) -> None:
    two = tuple(message for message in LADDER.messages if message.kind in ("payment_failed", "final_notice"))
    retries = RetrySettings(timing="ladder", ladder_days=(1, 3))
    short = LADDER.model_copy(update={"window_days": 8, "messages": two, "retries": retries})
    stage.use_campaign(short)
    invoice = stage.fail(stage.customer()["customer"], "do_not_honor")
    dispute(stage, invoice)
    stage.advance(days=short.window_days + 4)
    stage.control("faults", kind="http_500")
    stage.advance(hours=13)
    stage.http.delete(f"{stage.sandbox.url}/_sandbox/faults", timeout=10)
    stage.advance(days=1)
    (end,) = [step for step in stage.steps(invoice) if step.key == "window_end"]
    assert (end.state, end.claims) == (StepState.PLANNED, 0)
