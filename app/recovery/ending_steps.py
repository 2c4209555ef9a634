"""The steps at the end of a case: the final action, and giving back what it took when money comes late."""

from sqlalchemy.orm import Session

from app.models import RecoveryCase
from app.outcomes.actions import FinalAction
from app.outcomes.final import run_final_action
from app.outcomes.ledger import has_something_to_restore
from app.outcomes.restoring import restore
from app.recovery import cases, planning, steps
from app.recovery.choices import CHOICE_DONE, CHOICE_UNDONE, UNDO, read_choice
from app.recovery.observing import observe_invoice
from app.recovery.running_step import RunningStep
from app.vocabulary import CaseState, EntryKind, StepKind, StepState


def run_final(running: RunningStep) -> None:
    """Take the campaign's final action, unless money or a new chance came first; then tell the customer."""
    context = running.context
    observe_invoice(context, running.gateway, running.connection, running.invoice_stripe_id)
    with context.database.organization(running.organization_id) as session:
        case = cases.lock_case(session, running.case_id)
        if case.state is not CaseState.EXHAUSTED:
            now = context.clock.now()
            steps.finish(session, running.claim, StepState.SKIPPED, f"the case is {case.state}", now)
            return
        action = read_choice(running.step.plan) or _of_campaign(session, case)
    result = run_final_action(
        context, running.gateway, organization_id=running.organization_id, case_id=running.case_id, action=action
    )
    now = context.clock.now()
    with context.database.organization(running.organization_id) as session:
        case = cases.lock_case(session, running.case_id)
        cases.append(session, case, EntryKind.ACTION, "final_action", "final_action", now, now, result.summary)
        steps.finish(session, running.claim, StepState.DONE, result.summary, now)
        if result.changed_subscription:
            key = CHOICE_DONE if action.is_chosen else "message:final_action_done"
            content = {"kind": "choice_confirmed" if action.is_chosen else "subscription_changed"}
            steps.plan(session, case, StepKind.MESSAGE, key, now, "Say what was done.", content)
        if case.state is CaseState.RECOVERED and has_something_to_restore(session, case.id):
            # money came while the action was taken, and the undoing planned then may have found nothing yet
            steps.plan(session, case, StepKind.RESTORE, "restore:after_final_action", now, "Paid meanwhile.")
    observe_invoice(context, running.gateway, running.connection, running.invoice_stripe_id)


def _of_campaign(session: Session, case: RecoveryCase) -> FinalAction:
    settings = planning.definition_of(session, case).final_action
    kind, price_id = settings.for_currency(case.currency)
    return FinalAction(kind, price_id, settings.debt)


def run_restore(running: RunningStep) -> None:
    """Bring back what the subscription was, because it was paid after all."""
    context = running.context
    result = restore(context, running.gateway, organization_id=running.organization_id, case_id=running.case_id)
    now = context.clock.now()
    with context.database.organization(running.organization_id) as session:
        case = cases.lock_case(session, running.case_id)
        key = "restored" if running.step.key == "restore" else f"restored:{running.step.key}"
        cases.append(session, case, EntryKind.ACTION, "restored", key, now, now, result.summary)
        steps.finish(session, running.claim, StepState.DONE, result.summary, now)
        if running.step.key != UNDO:
            planning.thank(session, case, now, is_restored=result.is_restored)
        elif result.is_restored:
            content = {"kind": "choice_confirmed"}
            steps.plan(session, case, StepKind.MESSAGE, CHOICE_UNDONE, now, "Say that it was taken back.", content)
