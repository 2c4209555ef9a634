"""Who retries is switched in the middle of a case's life, both ways and in every state, over real HTTP."""

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from app.accounts.connections import connect
from app.campaigns.definition import MONTHLY
from app.models import AuditEntry, Conflict, Connection, Step
from app.recovery import handover_steps, operator, running
from app.recovery import steps as step_rows
from app.recovery.invariants import find_offences
from app.recovery.operator import NotAllowedNow, Person, retry_now
from app.recovery.switching import NoSuchConnection, Switched, switch
from app.vocabulary import (
    AttemptSource,
    AttemptState,
    CaseState,
    ConnectionMode,
    Enforcement,
    RecoveredBy,
    StepKind,
    StepState,
)
from tests.stage import LADDER, SANDBOX_KEY, Stage

OWNER = Person("Olga")
OBSERVE, DRIVE = ConnectionMode.OBSERVE, ConnectionMode.DRIVE


@pytest.fixture(autouse=True)
def _everything_is_as_promised(stage: Stage) -> object:
    stage.use_campaign(LADDER)  # tries on days that these stories can name
    yield
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []


def to(stage: Stage, mode: ConnectionMode, *, settle: bool = True, enforcement: Enforcement | None = None) -> Switched:
    done = switch(stage.context, stage.organization_id, stage.connection_id, OWNER, mode=mode, enforcement=enforcement)
    if settle:
        stage.settle()
    return done


def begin(stage: Stage, mode: ConnectionMode, *script: str, card: str = "pm_card_visa") -> str:
    """A renewal that failed in `mode`; the invoice's id."""
    to(stage, mode)
    robin = stage.customer(name="Robin", email="robin@example.com", card=card)
    return stage.fail(robin["customer"], *script)


def is_at_stripe(stage: Stage, invoice: str) -> bool:
    """Whether Stripe collects the invoice, by its own word; collecting and planning a try must agree."""
    found = stage.stripe("GET", f"invoices/{invoice}")
    assert bool(found["next_payment_attempt"]) <= found["auto_advance"]
    return bool(found["auto_advance"])


def names(stage: Stage, invoice: str) -> list[str]:
    wanted = ("switched", "took_over", "gave_back", "taken_up")
    return [entry.name for entry in stage.timeline(invoice) if entry.name in wanted]


def open_kinds(stage: Stage, invoice: str) -> set[StepKind]:
    return {step.kind for step in stage.steps(invoice) if step.state is StepState.PLANNED}


def sources(stage: Stage, invoice: str) -> list[AttemptSource]:
    return [attempt.source for attempt in stage.attempts(invoice)]


def trouble(stage: Stage, kind: str, path: str = "", count: int | None = None) -> None:
    fault = {"kind": kind, "path": path, "count": count}
    assert stage.http.post(f"{stage.sandbox.url}/_sandbox/faults", json=fault, timeout=10).ok


def test_a_waiting_case_goes_back_to_stripe_which_then_brings_the_money(stage: Stage) -> None:
    invoice = begin(stage, DRIVE, "insufficient_funds", "approve")
    assert not is_at_stripe(stage, invoice)
    assert to(stage, OBSERVE) == Switched(is_changed=True, cases=1)
    assert is_at_stripe(stage, invoice)
    assert names(stage, invoice) == ["took_over", "switched", "gave_back"]
    stage.advance(days=4)
    case = stage.case(invoice)
    assert (case.state, case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.STRIPE_RETRY)
    assert sources(stage, invoice) == [AttemptSource.STRIPE, AttemptSource.STRIPE]


def test_a_waiting_case_is_taken_from_stripe_and_recoup_brings_the_money(stage: Stage) -> None:
    invoice = begin(stage, OBSERVE, "insufficient_funds", "approve")
    assert is_at_stripe(stage, invoice)
    to(stage, DRIVE)
    assert not is_at_stripe(stage, invoice)
    assert names(stage, invoice) == ["switched", "took_over"]
    stage.advance(days=3)
    assert stage.case(invoice).recovered_by is RecoveredBy.RETRY
    assert sources(stage, invoice) == [AttemptSource.STRIPE, AttemptSource.RECOUP]


def test_a_switch_is_no_conflict_and_a_try_asked_for_meanwhile_is_refused_with_the_reason(stage: Stage) -> None:
    invoice = begin(stage, OBSERVE, "insufficient_funds", "approve")
    to(stage, DRIVE, settle=False)
    with pytest.raises(NotAllowedNow, match="being changed who retries"):
        retry_now(stage.context, stage.organization_id, stage.case(invoice).id, OWNER)
    stage.settle()
    assert stage.rows(Conflict) == []
    retry_now(stage.context, stage.organization_id, stage.case(invoice).id, OWNER)
    stage.settle()
    assert stage.case(invoice).state is CaseState.RECOVERED


@pytest.mark.long
def test_tries_of_recoup_made_before_are_not_taken_for_stripes_own(stage: Stage) -> None:
    invoice = begin(stage, DRIVE, *3 * ["do_not_honor"], "approve")
    stage.advance(days=5)
    ours = sources(stage, invoice).count(AttemptSource.RECOUP)
    assert ours
    to(stage, OBSERVE)
    stage.advance(days=8)
    assert stage.case(invoice).recovered_by is RecoveredBy.STRIPE_RETRY
    assert sources(stage, invoice)[1 + ours :] == (3 - ours) * [AttemptSource.STRIPE]


@pytest.mark.parametrize(("before", "after"), [(DRIVE, OBSERVE), (OBSERVE, DRIVE)])
@pytest.mark.long
def test_a_case_that_needs_its_customer_goes_on_needing_them(
    stage: Stage, before: ConnectionMode, after: ConnectionMode
) -> None:
    invoice = begin(stage, before, "expired_card")
    to(stage, after)
    assert stage.case(invoice).state is CaseState.NEEDS_CUSTOMER
    assert is_at_stripe(stage, invoice) is (after is OBSERVE)
    assert StepKind.RETRY not in open_kinds(stage, invoice)
    assert StepKind.MESSAGE in open_kinds(stage, invoice)


@pytest.mark.long
def test_a_customer_who_was_asked_because_stripe_had_no_try_left_is_retried_once_recoup_drives(stage: Stage) -> None:
    stage.control("settings", retries="custom:1", end_behavior="past_due")
    invoice = begin(stage, OBSERVE, "insufficient_funds", "insufficient_funds", "approve")
    stage.advance(days=2)
    assert stage.case(invoice).state is CaseState.NEEDS_CUSTOMER
    to(stage, DRIVE)
    assert stage.case(invoice).state is CaseState.WAITING
    assert "taken_up" in names(stage, invoice)
    stage.advance(days=5)
    assert stage.case(invoice).recovered_by is RecoveredBy.RETRY


def charge_without_an_answer(stage: Stage, invoice: str, fault: str) -> None:
    (retry,) = [one for one in stage.steps(invoice) if one.kind is StepKind.RETRY and not one.finished_at]
    trouble(stage, "lost_webhook")
    trouble(stage, fault, path=f"/invoices/{invoice}/pay", count=1)
    stage.advance(seconds=(retry.due_at - stage.now).total_seconds() + 1)
    assert stage.case(invoice).state is CaseState.CHARGING


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_a_charge_under_way_is_finished_before_stripe_gets_the_invoice_back(stage: Stage, fault: str) -> None:
    invoice = begin(stage, DRIVE, "insufficient_funds", "insufficient_funds", "approve")
    charge_without_an_answer(stage, invoice, fault)
    to(stage, OBSERVE)
    assert stage.case(invoice).state is CaseState.CHARGING
    assert not is_at_stripe(stage, invoice)
    stage.advance(hours=1)
    assert [one.state for one in stage.attempts(invoice)] == 2 * [AttemptState.DECLINED]
    assert stage.case(invoice).state is CaseState.WAITING
    assert is_at_stripe(stage, invoice)
    assert names(stage, invoice)[-2:] in (["switched", "gave_back"], ["gave_back", "switched"])


@pytest.mark.long
def test_a_charge_under_way_that_pays_leaves_nothing_to_give_back(stage: Stage) -> None:
    invoice = begin(stage, DRIVE, "insufficient_funds", "approve")
    charge_without_an_answer(stage, invoice, "cut_after")
    to(stage, OBSERVE)
    stage.advance(hours=2)
    assert stage.case(invoice).recovered_by is RecoveredBy.RETRY
    assert "gave_back" not in names(stage, invoice)


@pytest.mark.long
def test_what_has_ended_is_left_as_it_is(stage: Stage) -> None:
    paid = begin(stage, DRIVE, "insufficient_funds")
    stage.stripe("POST", f"invoices/{paid}/pay", paid_out_of_band="true")
    stopped = begin(stage, DRIVE, "insufficient_funds", card="pm_card_mastercard")
    operator.stop_case(stage.context, stage.organization_id, stage.case(stopped).id, OWNER, "")
    stage.use_campaign(MONTHLY.model_copy(update={"grace_days": 2}))
    lost = begin(stage, DRIVE, "insufficient_funds", card="pm_card_amex")
    stage.advance(days=29)
    states = [stage.case(one).state for one in (paid, stopped, lost)]
    assert states == [CaseState.RECOVERED, CaseState.CLOSED, CaseState.EXHAUSTED]
    for mode in (OBSERVE, DRIVE):
        assert to(stage, mode).cases == 0
        assert not any(is_at_stripe(stage, one) for one in (paid, stopped, lost))
    assert states == [stage.case(one).state for one in (paid, stopped, lost)]


@pytest.mark.long
def test_switching_back_at_once_leaves_everything_with_recoup(stage: Stage) -> None:
    invoice = begin(stage, DRIVE, "insufficient_funds", "approve")
    to(stage, OBSERVE, settle=False)
    to(stage, DRIVE)
    assert not is_at_stripe(stage, invoice)
    stage.advance(days=3)
    assert stage.case(invoice).recovered_by is RecoveredBy.RETRY
    assert sources(stage, invoice).count(AttemptSource.STRIPE) == 1


@pytest.mark.long
def test_switching_to_and_fro_many_times_neither_loses_nor_doubles_anything(stage: Stage) -> None:
    invoice = begin(stage, DRIVE, *4 * ["insufficient_funds"], "approve")
    for mode in (OBSERVE, DRIVE, OBSERVE, DRIVE, OBSERVE):
        to(stage, mode)
        stage.advance(days=1, hours=5)
    stage.advance(days=15)
    assert stage.case(invoice).state is CaseState.RECOVERED
    books = stage.http.get(f"{stage.sandbox.url}/_sandbox/books", timeout=30).json()
    (row,) = [row for row in books["invoices"] if row["invoice"] == invoice]
    assert row["successful_charges"] == 1
    assert len(stage.attempts(invoice)) == row["successful_charges"] + row["failed_charges"]


class Died(BaseException):
    """The worker is gone: nothing of it catches this."""


def die(_name: str) -> None:
    raise Died


def run_what_is_due(stage: Stage) -> None:
    """A worker without a supervisor: the switch, and the hand-over that follows from it."""
    for _ in range(4):
        with stage.context.database.system() as session:
            claims = step_rows.claim_due(session, stage.now)
        for claim in claims:
            running.run(stage.context, claim)


def outlast_leases(stage: Stage) -> None:
    with stage.context.database.system() as session:
        session.execute(text("update steps set lease_until = now() - interval '1 second' where state = 'running'"))


@pytest.mark.parametrize(("before", "after"), [(DRIVE, OBSERVE), (OBSERVE, DRIVE)])
@pytest.mark.long
def test_a_worker_that_dies_after_asking_stripe_is_replaced(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, before: ConnectionMode, after: ConnectionMode
) -> None:
    invoice = begin(stage, before, "insufficient_funds", "approve")
    to(stage, after, settle=False)

    with monkeypatch.context() as patched:
        patched.setattr(handover_steps, "failpoint", die)
        with pytest.raises(Died):
            run_what_is_due(stage)
    assert is_at_stripe(stage, invoice) is (after is OBSERVE)
    outlast_leases(stage)
    stage.settle()
    assert {"switched", "gave_back" if after is OBSERVE else "took_over"} <= set(names(stage, invoice))
    stage.advance(days=4)
    expected = RecoveredBy.STRIPE_RETRY if after is OBSERVE else RecoveredBy.RETRY
    assert stage.case(invoice).recovered_by is expected


@pytest.mark.long
def test_a_worker_that_died_while_taking_over_is_undone_when_it_was_switched_back_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = begin(stage, OBSERVE, "insufficient_funds", "approve")
    to(stage, DRIVE, settle=False)
    with monkeypatch.context() as patched:
        patched.setattr(handover_steps, "failpoint", die)
        with pytest.raises(Died):
            run_what_is_due(stage)
    assert not is_at_stripe(stage, invoice)
    to(stage, OBSERVE, settle=False)
    outlast_leases(stage)
    stage.settle()
    assert is_at_stripe(stage, invoice)


@pytest.mark.long
def test_a_switch_waits_while_stripe_cannot_be_reached(stage: Stage) -> None:
    invoice = begin(stage, DRIVE, "insufficient_funds", "approve")
    trouble(stage, "http_500", path=f"/invoices/{invoice}", count=4)
    to(stage, OBSERVE)
    stage.advance(hours=2)
    assert is_at_stripe(stage, invoice)
    stage.advance(days=4)
    assert stage.case(invoice).recovered_by is RecoveredBy.STRIPE_RETRY


@pytest.mark.long
def test_collection_that_somebody_else_turned_off_is_not_turned_on(stage: Stage) -> None:
    invoice = begin(stage, OBSERVE, "insufficient_funds")
    stage.stripe("POST", f"invoices/{invoice}", auto_advance="false")
    stage.advance(hours=1)
    to(stage, OBSERVE, enforcement=Enforcement.WARN)
    assert not is_at_stripe(stage, invoice)


@pytest.mark.long
def test_connecting_again_with_another_key_leaves_who_retries_as_it_is(stage: Stage) -> None:
    to(stage, OBSERVE)
    connect(stage.context, stage.organization_id, api_key=SANDBOX_KEY, webhook_secret=None, mode=DRIVE, actor="test")
    (connection,) = stage.rows(Connection)
    assert connection.mode is OBSERVE


def test_a_switch_is_audited_and_one_that_changes_nothing_is_not(stage: Stage) -> None:
    assert to(stage, DRIVE) == Switched(is_changed=False, cases=0)
    assert stage.rows(AuditEntry, AuditEntry.action == "connection.switched") == []
    to(stage, OBSERVE)
    (entry,) = stage.rows(AuditEntry, AuditEntry.action == "connection.switched")
    assert (entry.actor, entry.data["before"]["mode"], entry.data["mode"]) == ("Olga", "drive", "observe")


def test_a_connection_of_somebody_else_cannot_be_switched(stage: Stage) -> None:
    with pytest.raises(NoSuchConnection):
        switch(stage.context, stage.organization_id, stage.organization_id, OWNER, mode=OBSERVE)


@pytest.mark.long
def test_many_cases_follow_at_a_pace_that_stripe_bears_and_the_next_at_stripe_first(stage: Stage) -> None:
    to(stage, OBSERVE)
    for number in range(3):
        stage.fail(stage.customer(name=f"C{number}", email=f"c{number}@example.com")["customer"], "insufficient_funds")
    from_now = stage.now
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("app.recovery.switching.AT_ONCE", 1)
        to(stage, DRIVE, settle=False)
    due = sorted(step.due_at for step in stage.rows(Step, Step.kind == StepKind.SWITCH, Step.state == "planned"))
    assert [later - sooner for sooner, later in pairwise(due)] == 2 * [timedelta(milliseconds=200)]
    assert due[0] >= from_now
    stage.advance(minutes=1)
    assert stage.rows(Step, Step.kind == StepKind.SWITCH, Step.state == "planned") == []
