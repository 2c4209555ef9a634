"""Sentences for the timeline: what a final action did, or why it did not. For operators; customers never see them."""

from typing import Any

from app.models.subscription_snapshot import SubscriptionSnapshot as Row
from app.outcomes.actions import SUBSCRIPTION_KINDS, FinalAction, SkipReason
from app.vocabulary import DebtAfterwards, FinalActionKind, FinalActionState

Json = dict[str, Any]

_DONE = {
    FinalActionKind.CANCEL_NOW: "The subscription was cancelled",
    FinalActionKind.CANCEL_AT_PERIOD_END: "The subscription will end with its current period",
    FinalActionKind.DOWNGRADE: "The subscription was moved to the price {price_id}",
    FinalActionKind.PAUSE: "Collection of the subscription's coming invoices was paused",
    FinalActionKind.MARK_UNCOLLECTIBLE: "The subscription was left as it is",
    FinalActionKind.LEAVE: "The subscription was left as it is",
}
_DEBT = {
    DebtAfterwards.KEEP: "the invoice stays open",
    DebtAfterwards.VOID: "the invoice was voided",
    DebtAfterwards.MARK_UNCOLLECTIBLE: "the invoice was marked uncollectible",
}
_RESTORED = {
    FinalActionKind.CANCEL_AT_PERIOD_END: "The subscription will go on after its current period, as before",
    FinalActionKind.DOWNGRADE: "The subscription is back on the prices it had before the downgrade",
    FinalActionKind.PAUSE: "Collection of the subscription's invoices was resumed",
}
_WHY = {
    SkipReason.INVOICE_PAID: "the invoice has been paid",
    SkipReason.INVOICE_VOIDED: "the invoice has been voided",
    SkipReason.INVOICE_GONE: "Stripe knows the invoice no more",
    SkipReason.NO_SUBSCRIPTION: "the invoice belongs to no subscription",
    SkipReason.SUBSCRIPTION_GONE: "there is no subscription that this case could change",
    SkipReason.ALREADY_CANCELLED: "the subscription has been cancelled already",
    SkipReason.ALREADY_ENDING: "the subscription already ends with its period",
    SkipReason.ALREADY_ON_PRICE: "the subscription is on that price already",
    SkipReason.ALREADY_PAUSED: "collection is paused already",
    SkipReason.ALREADY_UNCOLLECTIBLE: "the invoice is marked uncollectible already",
    SkipReason.REFUSED_BY_STRIPE: "Stripe refused it{refusal}; look at it in Stripe",
    SkipReason.NO_FINAL_ACTION: "no final action was taken",
    SkipReason.NOTHING_TO_RESTORE: "the final action had changed nothing",
    SkipReason.CANCELLATION_IS_FINAL: "a cancelled subscription cannot be brought back; the customer needs a new one",
    SkipReason.CHANGED_MEANWHILE: "somebody has changed the subscription since ({differs})",
}
_END_OF_DEBT = frozenset({SkipReason.INVOICE_PAID, SkipReason.INVOICE_VOIDED})


def why(reason: str, seen: Json) -> str:
    """The reason as a clause; `seen` may hold a `refusal` (codes) and what `differs`."""
    refusal = f" ({seen['refusal']})" if seen.get("refusal") else ""
    return _WHY[SkipReason(reason)].format(refusal=refusal, differs=", ".join(seen.get("differs", ())))


def final_summary(row: Row, action: FinalAction) -> str:
    """One sentence on how the final action ended."""
    if row.state is FinalActionState.INTENDED:
        return "The final action has begun and Stripe's answer is awaited."
    if row.state is FinalActionState.SKIPPED:
        return f"The final action was not taken: {why(str(row.reason), row.parameters)}."
    return f"{_subscription_clause(row)}; {_debt_clause(row, action)}."


def restored_summary(row: Row) -> str:
    """One sentence on an undoing that worked."""
    return f"{_RESTORED[row.action]}."


def not_restored_summary(reason: SkipReason, seen: Json) -> str:
    """One sentence on an undoing that was not done."""
    return f"Nothing was restored: {why(reason, seen)}."


def _subscription_clause(row: Row) -> str:
    if row.action in SUBSCRIPTION_KINDS and "subscription" not in row.parameters["did"]:
        return f"The subscription was left as it is, because {why(str(row.reason), row.parameters)}"
    return _DONE[row.action].format(price_id=row.parameters["price_id"])


def _debt_clause(row: Row, action: FinalAction) -> str:
    debt = action.debt_afterwards
    if "debt" in row.parameters["did"] or (debt is DebtAfterwards.KEEP and row.reason not in _END_OF_DEBT):
        return _DEBT[debt]
    if row.reason is None or "subscription" not in row.parameters["did"]:
        return "the invoice needed no change"
    return f"the invoice was left alone, because {why(row.reason, row.parameters)}"
