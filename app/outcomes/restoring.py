"""Taking a final action back after a late payment, as far as it can be, and only what was ours.

A subscription that somebody else has changed since is left alone: their wish is younger than our snapshot.
"""

from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.models.subscription_snapshot import SubscriptionSnapshot as Row
from app.outcomes import ledger
from app.outcomes.actions import SUBSCRIPTION_KINDS, SkipReason
from app.outcomes.asking import Work
from app.outcomes.looks import differences, is_effect_visible, is_over, looks_of
from app.outcomes.words import not_restored_summary, restored_summary
from app.stripe_gateway.errors import Permanent
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.readers import read_subscription
from app.stripe_gateway.snapshots import SubscriptionSnapshot
from app.vocabulary import FinalActionKind, FinalActionState

_UNDONE = {
    FinalActionKind.DOWNGRADE: "items",
    FinalActionKind.PAUSE: "paused",
    FinalActionKind.CANCEL_AT_PERIOD_END: "is_ending",
}


@dataclass(frozen=True)
class RestoreResult:
    """How an undoing ended: `is_restored` also when an earlier call did it. `reason` names why not."""

    is_restored: bool
    summary: str
    reason: SkipReason | None = None


def restore(context: Context, gateway: StripeGateway, *, organization_id: UUID, case_id: UUID) -> RestoreResult:
    """Bring back what the final action of a case took; harmless when repeated, or when there was no such action.

    Call it once the invoice is paid. Raises the gateway's `RetryLater` (call again later) and `ConnectionBroken`.
    """
    work = Work(context, gateway, organization_id, case_id, context.clock.now())
    with work.transaction() as session:
        row = ledger.find_row(session, case_id)
    if row is None:
        return _left(SkipReason.NO_FINAL_ACTION, {})
    if row.state is FinalActionState.RESTORED:
        return RestoreResult(True, restored_summary(row))
    if row.state is FinalActionState.SKIPPED:
        return _left(SkipReason.NOTHING_TO_RESTORE, row.parameters)
    return _restore(work, row, work.find_subscription(row.subscription_stripe_id))


def _restore(work: Work, row: Row, now: SubscriptionSnapshot | None) -> RestoreResult:
    if row.state is FinalActionState.INTENDED:
        row = _settle_intention(work, row, now)
    reason, differs = _reason_to_leave(row, now)
    if reason:
        return _leave(work, row, reason, differs=differs)
    if now is not None and not _is_undone(row, now):
        try:
            work.undo(work.with_living_key(row))
        except Permanent as refusal:
            codes = ", ".join(filter(None, (refusal.code, refusal.param)))
            return _leave(work, row, SkipReason.REFUSED_BY_STRIPE, refusal=codes)
    with work.transaction() as session:
        return RestoreResult(True, restored_summary(ledger.settle_restored(session, row, now=work.now)))


def _settle_intention(work: Work, row: Row, now: SubscriptionSnapshot | None) -> Row:
    """The payment came while the action was under way: what Stripe shows tells whether it got through."""
    action = ledger.action_of(row)
    was_there, is_there = (
        one is not None and is_effect_visible(action.kind, action.price_id, one)
        for one in (read_subscription(row.before), now)
    )
    is_taken = action.kind in SUBSCRIPTION_KINDS and is_there and not was_there
    state = FinalActionState.DONE if is_taken else FinalActionState.SKIPPED
    did = ["subscription"] if is_taken else []
    with work.transaction() as session:
        return ledger.settle(session, row, state=state, reason=SkipReason.INVOICE_PAID, now=work.now, did=did)


def _reason_to_leave(row: Row, now: SubscriptionSnapshot | None) -> tuple[SkipReason | None, list[str]]:
    """Why the subscription is not to be touched, and in what it differs from how our action left it."""
    if "subscription" not in row.parameters["did"]:
        return SkipReason.NOTHING_TO_RESTORE, []
    if now is None:
        return SkipReason.SUBSCRIPTION_GONE, []
    if is_over(now):
        is_ours = row.action in (FinalActionKind.CANCEL_NOW, FinalActionKind.CANCEL_AT_PERIOD_END)
        return (SkipReason.CANCELLATION_IS_FINAL if is_ours else SkipReason.ALREADY_CANCELLED), []
    after = row.parameters.get("after")
    if after is None or _is_undone(row, now):
        return None, []
    differs = differences(after, looks_of(now).plain())
    return (SkipReason.CHANGED_MEANWHILE if differs else None), differs


def _is_undone(row: Row, now: SubscriptionSnapshot) -> bool:
    """Whether what the action changed is as it was: by an earlier call of ours, or by somebody who was quicker."""
    changed = _UNDONE[row.action]
    before = looks_of(read_subscription(row.before)).plain()
    return bool(before[changed] == looks_of(now).plain()[changed])


def _leave(work: Work, row: Row, reason: SkipReason, **seen: object) -> RestoreResult:
    with work.transaction() as session:
        ledger.note_reason(session, row, reason, **seen)
    return _left(reason, seen)


def _left(reason: SkipReason, seen: dict[str, object]) -> RestoreResult:
    return RestoreResult(False, not_restored_summary(reason, seen), reason)
