"""Taking a final action: the intention is stored, Stripe is asked, the outcome is stored. Any part may be repeated.

Refuses to decide whether the time has come; that is the case's business. Three rules shape it: money wins, so the
invoice is read first every time; what is done already is not done again; and everything a repeat needs is in the row,
because the subscription no longer shows what it was.
"""

from dataclasses import dataclass, field, replace
from uuid import UUID

from app.context import Context
from app.failpoints import failpoint
from app.models.subscription_snapshot import SubscriptionSnapshot as Row
from app.outcomes import ledger
from app.outcomes.actions import (
    RESTORABLE_KINDS,
    FinalAction,
    FinalResult,
    Plan,
    SkipReason,
    is_debt_settled,
    plan,
    reason_to_stop,
)
from app.outcomes.asking import Work
from app.outcomes.looks import is_effect_visible, looks_of
from app.outcomes.words import final_summary
from app.stripe_gateway.errors import Permanent
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.readers import read_subscription
from app.stripe_gateway.snapshots import InvoiceSnapshot, SubscriptionSnapshot
from app.vocabulary import FinalActionState


@dataclass
class _Done:
    """What was carried out so far, and why the rest was not."""

    did: list[str] = field(default_factory=list)
    reason: SkipReason | None = None
    refusal: str | None = None


def run_final_action(
    context: Context, gateway: StripeGateway, *, organization_id: UUID, case_id: UUID, action: FinalAction
) -> FinalResult:
    """Take `action` for one case, or finish what an earlier call began; a finished one is only reported.

    A repeat carries out the action stored by the first call. Raises the gateway's `RetryLater` (call again later: the
    intention stands) and `ConnectionBroken`; what Stripe refuses for good ends as `skipped` with the refusal.
    """
    work = Work(context, gateway, organization_id, case_id, context.clock.now())
    with work.transaction() as session:
        target = ledger.find_target(session, case_id)
    row = target.row
    if row is None or row.state is FinalActionState.INTENDED:
        invoice = work.find_invoice(target.invoice_id)
        subscription = work.find_subscription(target.subscription_id)
        row = row or _intend(work, action, invoice, subscription)
        if row.state is FinalActionState.INTENDED:
            row = _carry_out(work, row, invoice, subscription)
    return FinalResult(
        state=row.state,
        summary=final_summary(row, ledger.action_of(row)),
        reason=row.reason,
        changed_subscription=row.has_changed_subscription,
    )


def _intend(
    work: Work, action: FinalAction, invoice: InvoiceSnapshot | None, subscription: SubscriptionSnapshot | None
) -> Row:
    planned = plan(action, invoice, subscription)
    with work.transaction() as session:
        row = ledger.record(
            session,
            case_id=work.case_id,
            action=action,
            invoice=invoice,
            subscription=subscription,
            state=_first_state(planned),
            reason=planned.reason,
            now=work.now,
        )
    failpoint("final_action.intention_committed")
    return row


def _first_state(planned: Plan) -> FinalActionState:
    if not planned.is_empty:
        return FinalActionState.INTENDED
    return FinalActionState.SKIPPED if planned.reason else FinalActionState.DONE


def _carry_out(work: Work, row: Row, invoice: InvoiceSnapshot | None, subscription: SubscriptionSnapshot | None) -> Row:
    """Do what the row intends and Stripe does not show yet. `invoice` and `subscription` are as they are now."""
    action = ledger.action_of(row)
    planned = _plan_of(row, action, invoice)
    if (stopped := _stopped(action, invoice)) or invoice is None:
        seen = planned.changes_subscription and _is_seen(action, subscription)
        return _settle(work, row, _Done(["subscription"] if seen else [], stopped))
    done = _Done(reason=planned.reason)
    try:
        _change(work, work.with_living_key(row), action, planned, done, invoice, subscription)
    except Permanent as refusal:
        now = work.find_invoice(invoice.id)
        done.reason = _stopped(action, now) or SkipReason.REFUSED_BY_STRIPE
        done.refusal = ", ".join(filter(None, (refusal.code, refusal.param))) or None
    failpoint("final_action.answered")
    return _settle(work, row, done)


def _change(
    work: Work,
    row: Row,
    action: FinalAction,
    planned: Plan,
    done: _Done,
    invoice: InvoiceSnapshot,
    subscription: SubscriptionSnapshot | None,
) -> None:
    if planned.changes_subscription:
        if work.change_subscription(row, action, subscription):
            done.did.append("subscription")
        else:
            done.reason = SkipReason.SUBSCRIPTION_GONE
    if planned.changes_debt:
        work.change_debt(action, invoice)
        done.did.append("debt")


def _settle(work: Work, row: Row, done: _Done) -> Row:
    """Store how it ended, and how the subscription looks now that we are done with it."""
    seen: dict[str, object] = {"did": done.did}
    if done.refusal:
        seen["refusal"] = done.refusal
    if "subscription" in done.did and row.action in RESTORABLE_KINDS:
        after = work.find_subscription(row.subscription_stripe_id)
        seen["after"] = looks_of(after).plain() if after else None
    state = FinalActionState.DONE if done.did else FinalActionState.SKIPPED
    with work.transaction() as session:
        settled = ledger.settle(session, row, state=state, reason=done.reason, now=work.now, **seen)
        failpoint("final_action.outcome_uncommitted")
    return settled


def _plan_of(row: Row, action: FinalAction, invoice: InvoiceSnapshot | None) -> Plan:
    """The plan as it was made when the row was written."""
    before = read_subscription(row.before) if row.before else None
    as_it_was = replace(invoice, status=row.parameters["invoice_status"]) if invoice else None
    return plan(action, as_it_was, before)


def _stopped(action: FinalAction, invoice: InvoiceSnapshot | None) -> SkipReason | None:
    """Why nothing more may be done. An invoice that is as we were to make it is no reason: that was us."""
    if invoice is None:
        return SkipReason.INVOICE_GONE
    reason = reason_to_stop(invoice)
    return None if reason is SkipReason.INVOICE_VOIDED and is_debt_settled(action, invoice) else reason


def _is_seen(action: FinalAction, subscription: SubscriptionSnapshot | None) -> bool:
    return subscription is not None and is_effect_visible(action.kind, action.price_id, subscription)
