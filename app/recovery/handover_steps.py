"""The steps that change who retries: one case told of a switch, one invoice taken from Stripe or given back to it.

Each asks for a state and not for a change, so that a worker's death in the middle costs nothing but a repetition.
"""

from sqlalchemy.orm import Session

from app.db import get_row
from app.failpoints import failpoint
from app.models import Connection, RecoveryCase
from app.recovery import cases, handover, planning, steps
from app.recovery.observing import observe_invoice
from app.recovery.running_step import RunningStep
from app.recovery.waiting import pause_for_charge
from app.stripe_gateway.errors import InvalidRequest
from app.vocabulary import CaseState, ConnectionMode, EntryKind, StepKind, StepState

_SAID = {
    StepKind.TAKE_OVER: "Stripe's own retries of this invoice are off; Recoup plans every try.",
    StepKind.GIVE_BACK: "Stripe collects this invoice again; Recoup plans no try of its own.",
}
_NAMES = {StepKind.TAKE_OVER: "took_over", StepKind.GIVE_BACK: "gave_back"}
_SWITCHED = {
    ConnectionMode.DRIVE: "Recoup retries from now on",
    ConnectionMode.OBSERVE: "Stripe retries from now on",
}


def run_switch(running: RunningStep) -> None:
    """Tell one case that its connection was switched; a charge that is under way is waited for."""
    _observe(running)
    now = running.context.clock.now()
    with running.context.database.organization(running.organization_id) as session:
        case, connection = _locked(session, running)
        if connection.mode.value != running.step.plan["mode"]:
            steps.finish(session, running.claim, StepState.SKIPPED, "switched again since", now)
        elif case.state is CaseState.CHARGING:
            steps.postpone(session, running.claim, now + pause_for_charge(session, case, now), "a charge is under way")
            return
        else:
            by = running.step.plan["by"]
            summary = f"{_SWITCHED[connection.mode]}: {by} switched the connection to {connection.mode}."
            cases.append(session, case, EntryKind.ACTION, "switched", running.step.key, now, now, summary, {"by": by})
            steps.finish(session, running.claim, StepState.DONE, None, now)
        planning.replan(session, case, now)


def run_take_over(running: RunningStep) -> None:
    """Ask Stripe to leave this invoice to Recoup, so that never both retry."""
    _hand_over(running, StepKind.TAKE_OVER)


def run_give_back(running: RunningStep) -> None:
    """Ask Stripe to collect this invoice again, once no charge of ours is under way."""
    _hand_over(running, StepKind.GIVE_BACK)


def _hand_over(running: RunningStep, kind: StepKind) -> None:
    if not _may_begin(running, kind):
        return
    is_over = not _ask(running, kind)
    failpoint("handover.asked")
    _observe(running)
    now = running.context.clock.now()
    with running.context.database.organization(running.organization_id) as session:
        case, _ = _locked(session, running)
        if is_over:
            steps.finish(session, running.claim, StepState.SKIPPED, "the invoice is open no longer", now)
        else:
            key = f"{_NAMES[kind]}:{running.step.key}"
            cases.append(session, case, EntryKind.ACTION, _NAMES[kind], key, now, now, _SAID[kind])
            steps.finish(session, running.claim, StepState.DONE, None, now)
        planning.replan(session, case, now)


def _may_begin(running: RunningStep, kind: StepKind) -> bool:
    now = running.context.clock.now()
    with running.context.database.organization(running.organization_id) as session:
        case, connection = _locked(session, running)
        if not handover.fits(connection, case, kind):
            why = f"the connection is set to {connection.mode}, the case is {case.state}"
            steps.finish(session, running.claim, StepState.SKIPPED, why, now)
            planning.replan(session, case, now)
            return False
        if kind is StepKind.GIVE_BACK and case.state is CaseState.CHARGING:
            steps.postpone(session, running.claim, now + pause_for_charge(session, case, now), "a charge is under way")
            return False
        return True


def _ask(running: RunningStep, kind: StepKind) -> bool:
    """Set the invoice's collection at Stripe; False where the invoice turns out not to be open any more."""
    gateway, invoice_id = running.gateway, running.invoice_stripe_id
    change = gateway.stop_automatic_collection if kind is StepKind.TAKE_OVER else gateway.resume_automatic_collection
    try:
        change(invoice_id)
    except InvalidRequest:
        if gateway.get_invoice(invoice_id).status in ("draft", "open"):
            raise
        return False
    return True


def _observe(running: RunningStep) -> None:
    observe_invoice(running.context, running.gateway, running.connection, running.invoice_stripe_id)


def _locked(session: Session, running: RunningStep) -> tuple[RecoveryCase, Connection]:
    """The case, locked, and the connection as it is set now: it may have been switched since the step was begun."""
    return cases.lock_case(session, running.case_id), get_row(session, Connection, running.connection.id)
