"""A message step: is this mail still right, and if so into the outbox. How it leaves is the outbox's business."""

from sqlalchemy.orm import Session

from app.experiments import lot
from app.failpoints import failpoint
from app.messages import outbox
from app.models import CampaignVersion, RecoveryCase
from app.recovery import cases, closing, mail_steps, plan_names, planning, steps
from app.recovery.observing import observe_invoice
from app.recovery.running_step import RunningStep
from app.recovery.waiting import pause_for_charge
from app.vocabulary import OPEN_CASE_STATES, CaseState, EntryKind, StepState

AFTER_THE_END = ("recovered", "subscription_changed", "choice_confirmed")


def run_message(running: RunningStep) -> None:
    """Queue the mail of one step and deliver it, or skip it and say why."""
    context = running.context
    observe_invoice(context, running.gateway, running.connection, running.invoice_stripe_id)
    plan_names.learn(running)
    now = context.clock.now()
    with context.database.organization(running.organization_id) as session:
        case = cases.lock_case(session, running.case_id)
        kind = _kind(running, case)
        why_not = _why_not(case, kind) or mail_steps.why_not(running.step.plan, case)
        if why_not:
            steps.finish(session, running.claim, StepState.SKIPPED, why_not, now)
            summary = f"The mail {kind} was not sent: {why_not}."
            cases.append(
                session, case, EntryKind.DECISION, "not_sent", f"not_sent:{running.step.key}", now, now, summary
            )
            return
        if case.state is CaseState.CHARGING:
            steps.postpone(session, running.claim, now + pause_for_charge(session, case, now), "a charge is under way")
            return
        held_until = closing.waits_until(session, case, planning.definition_of(session, case), running.step, now)
        if held_until is not None:
            steps.postpone(session, running.claim, held_until, "a hold keeps the final notice back")
            return
        messages = outbox.queue_for_all(
            session,
            case=case,
            key=running.step.key,
            kind=kind,
            step_id=running.step.id,
            now=now,
            variant=_variant(session, running, case),
        )
        steps.finish(session, running.claim, StepState.DONE, f"message {messages[0].id}", now)
    failpoint("message.planned")
    for message in messages:
        outbox.deliver(context, running.organization_id, message.id)


def _variant(session: Session, running: RunningStep, case: RecoveryCase) -> str | None:
    """Which of the step's wordings this customer gets: by lot, and the same one in every case and version."""
    plan = running.step.plan
    if not plan.get("variants"):
        return None
    campaign_id = session.get_one(CampaignVersion, case.campaign_version_id).campaign_id
    return lot.pick(plan["variants"], str(case.customer_id), f"{campaign_id}:{plan.get('step', running.step.key)}")


def _kind(running: RunningStep, case: RecoveryCase) -> str:
    """The campaign's word, except that a payment which only wants approval gets the mail that asks for it."""
    kind: str = running.step.plan["kind"]
    return "action_required" if kind == "payment_failed" and case.customer_reason == "needs_approval" else kind


def _why_not(case: RecoveryCase, kind: str) -> str | None:
    if kind == "recovered":
        return None if case.state is CaseState.RECOVERED else f"the case is {case.state}"
    if kind in AFTER_THE_END:
        return None if case.state is not CaseState.CLOSED else "the case is closed"
    return None if case.state in OPEN_CASE_STATES else f"the case is {case.state}"
