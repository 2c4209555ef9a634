"""Carrying out one claimed step: what each kind of step does, and what becomes of it when Stripe cannot be asked.

Refuses to know who claimed it or when it is due. Every kind looks at Stripe first, then at the case, then acts.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.accounts.connections import gateway_for, mark_broken
from app.context import Context
from app.db import get_row, prepared
from app.failpoints import failpoint
from app.log import get_logger
from app.models import Connection, Invoice, RecoveryCase, Step
from app.recovery import cases, closing, ending_steps, handover, handover_steps, planning, promises, steps
from app.recovery.by_hand import decide_for
from app.recovery.charging import begin_charge, carry_out
from app.recovery.mailing import run_message
from app.recovery.observing import observe_invoice
from app.recovery.running_step import RunningStep
from app.recovery.steps import Claim, LeaseLost
from app.recovery.waiting import pause_for_charge
from app.retries.decisions import Reason, RetryAt
from app.stripe_gateway.errors import ConnectionBroken, Permanent, RetryLater
from app.vocabulary import CaseState, EntryKind, StepKind, StepState

log = get_logger(__name__)
GIVE_UP_AFTER = 12  # times it was begun; with the growing waits below that is about three days
LONGEST_WAIT = timedelta(hours=12)
UNTIL_RECONNECTED = timedelta(minutes=30)
UNTIL_HANDED_OVER = timedelta(seconds=20)


def run(context: Context, claim: Claim) -> None:
    """Carry out one claimed step; does nothing where the claim no longer holds."""
    with context.database.organization(claim.organization_id) as session:
        step = steps.begin(session, claim)
        if step is None:
            return
        connection, invoice_id = session.execute(*_about(step.case_id)).one()
    failpoint("step.begun")
    running = RunningStep(context, gateway_for(context, connection), connection, claim, step, step.case_id, invoice_id)
    try:
        KINDS[step.kind](running)
    except LeaseLost:
        log.warning("step.lease_lost", step=str(claim.step_id), kind=step.kind)
    except RetryLater as problem:
        _later(running, problem)
    except ConnectionBroken as problem:
        mark_broken(context, connection, problem)
        _later(running, problem)
    except Permanent as problem:
        _fail(running, problem)
    except Exception as problem:  # a fault of ours in one step must not come back every minute for ever
        log.exception("step.failed", step=str(claim.step_id), kind=step.kind)
        _later(running, problem)


@prepared
def _about(case_id: UUID) -> Select[Connection, str]:
    return (
        select(Connection, Invoice.stripe_id)
        .join(RecoveryCase, RecoveryCase.connection_id == Connection.id)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .where(RecoveryCase.id == case_id)
    )


def run_retry(running: RunningStep) -> None:
    """Try the card, if Stripe's books, the case and the planner still agree that now is the time."""
    context = running.context
    observe_invoice(context, running.gateway, running.connection, running.invoice_stripe_id)
    now = context.clock.now()
    with context.database.organization(running.organization_id) as session:
        case = cases.lock_case(session, running.case_id)
        if case.state is not CaseState.WAITING:
            steps.finish(session, running.claim, StepState.SKIPPED, f"the case is {case.state}", now)
            return
        wait = _wait_for_stripe(session, case, now)
        if wait:
            steps.postpone(session, running.claim, *wait)
            return
        decision = decide_for(session, case, running.step, now)
        intention = begin_charge(session, running.claim, case, decision, now)
        if intention is None:
            steps.finish(session, running.claim, StepState.SKIPPED, f"not now: {decision.reason}", now)
            planning.replan(session, case, now)
    if intention is not None:
        carry_out(context, running.gateway, running.connection, intention)


def _wait_for_stripe(session: Session, case: RecoveryCase, now: datetime) -> tuple[datetime, str] | None:
    """Until when a try keeps clear of Stripe, and why: it tries about now itself, or who retries is being changed."""
    if handover.is_under_way(session, case):
        return now + UNTIL_HANDED_OVER, "it is being changed who retries"
    clear_at = handover.clear_of_stripe(get_row(session, Invoice, case.invoice_id), now)
    return (clear_at, "Stripe tries the card about now") if clear_at else None


def run_window_end(running: RunningStep) -> None:
    """The campaign's time is over: decide for the last time."""
    observe_invoice(running.context, running.gateway, running.connection, running.invoice_stripe_id)
    now = running.context.clock.now()
    with running.context.database.organization(running.organization_id) as session:
        case = cases.lock_case(session, running.case_id)
        if case.state is CaseState.CHARGING:
            steps.postpone(session, running.claim, now + pause_for_charge(session, case, now), "a charge is under way")
            return
        decision = planning.replan(session, case, now)
        closes = closing.closes_at(session, case, planning.definition_of(session, case), now)
        if isinstance(decision, RetryAt) and case.state is CaseState.NEEDS_CUSTOMER and closes and closes <= now:
            # Stripe has refused to charge the card that would be tried
            planning.give_up(session, case, str(Reason.WINDOW_OVER), now)
        if case.state in (CaseState.WAITING, CaseState.NEEDS_CUSTOMER):
            again = closes if closes and closes > now else now + closing.LOOK_AGAIN
            steps.postpone(session, running.claim, again, "not yet at its end")
            return
        steps.finish(session, running.claim, StepState.DONE, None, now)


def _later(running: RunningStep, problem: Exception) -> None:
    """Put the step back on the calendar with a growing wait; after many tries it fails and a person is told.

    A broken connection is no fault of the step: it waits for the new key, however long that takes.
    """
    if running.step.claims >= GIVE_UP_AFTER and not isinstance(problem, ConnectionBroken):
        _fail(running, problem)
        return
    now = running.context.clock.now()
    wait = min(timedelta(seconds=10) * 3 ** min(running.step.claims - 1, 9), LONGEST_WAIT)
    if isinstance(problem, ConnectionBroken):
        wait = UNTIL_RECONNECTED
    wait = max(wait, timedelta(seconds=getattr(problem, "retry_after", None) or 0))
    with running.context.database.organization(running.organization_id) as session:
        case = cases.lock_case(session, running.case_id)
        if _is_over(session.get_one(Step, running.claim.step_id)):
            return
        trouble = f"{type(problem).__name__}: {problem}"
        steps.try_later(session, running.claim, now + wait, trouble, running.step.claims)
        key = f"later:{running.step.key}:{now.isoformat()}"
        summary = f"Not possible just now ({type(problem).__name__}); {running.step.kind} is tried again later."
        cases.append(session, case, EntryKind.NOTE, "later", key, now, now, summary)


def _fail(running: RunningStep, problem: Exception) -> None:
    now = running.context.clock.now()
    with running.context.database.organization(running.organization_id) as session:
        case = cases.lock_case(session, running.case_id)
        if _is_over(session.get_one(Step, running.claim.step_id)):
            return
        steps.finish(session, running.claim, StepState.FAILED, f"{type(problem).__name__}: {problem}", now)
        planning.see_that_it_ends(session, case, now)
        summary = f"The step {running.step.key} failed: {problem}. A person has to look at it."
        cases.append(session, case, EntryKind.NOTE, "failed", f"failed:{running.step.id}", now, now, summary)


def _is_over(step: Step) -> bool:
    """A retry step ends when its intention is committed; trouble after that is the attempt's, not the step's."""
    return step.state is not StepState.RUNNING


KINDS: dict[StepKind, Callable[[RunningStep], None]] = {
    StepKind.RETRY: run_retry,
    StepKind.PROMISE: promises.run_promise,
    StepKind.SWITCH: handover_steps.run_switch,
    StepKind.TAKE_OVER: handover_steps.run_take_over,
    StepKind.GIVE_BACK: handover_steps.run_give_back,
    StepKind.WINDOW_END: run_window_end,
    StepKind.MESSAGE: run_message,
    StepKind.FINAL_ACTION: ending_steps.run_final,
    StepKind.RESTORE: ending_steps.run_restore,
}
