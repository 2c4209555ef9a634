"""What a final action is, and what of it there is to do for one invoice and one subscription. Pure decisions.

Knows no database and calls nothing. Source of the rules: Stripe's subscription states and invoice statuses; a
downgrade, a pause or a cancellation does not remove the debt, so what becomes of the debt is decided beside it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.errors import RecoupError
from app.outcomes.looks import is_effect_visible, is_over
from app.stripe_gateway.snapshots import InvoiceSnapshot, SubscriptionSnapshot
from app.vocabulary import DebtAfterwards, FinalActionKind, FinalActionState

SUBSCRIPTION_KINDS = frozenset(
    {
        FinalActionKind.CANCEL_NOW,
        FinalActionKind.CANCEL_AT_PERIOD_END,
        FinalActionKind.DOWNGRADE,
        FinalActionKind.PAUSE,
    }
)

RESTORABLE_KINDS = SUBSCRIPTION_KINDS - {FinalActionKind.CANCEL_NOW}


class PriceMissing(RecoupError):
    """A downgrade that does not say to which price."""


class SkipReason(StrEnum):
    """Why a final action, or its undoing, was not carried out."""

    INVOICE_PAID = "invoice_paid"
    INVOICE_VOIDED = "invoice_voided"
    INVOICE_GONE = "invoice_gone"
    NO_SUBSCRIPTION = "no_subscription"
    SUBSCRIPTION_GONE = "subscription_gone"
    ALREADY_CANCELLED = "already_cancelled"
    ALREADY_ENDING = "already_ending"
    ALREADY_ON_PRICE = "already_on_price"
    ALREADY_PAUSED = "already_paused"
    ALREADY_UNCOLLECTIBLE = "already_uncollectible"
    REFUSED_BY_STRIPE = "refused_by_stripe"
    NO_FINAL_ACTION = "no_final_action"
    NOTHING_TO_RESTORE = "nothing_to_restore"
    CANCELLATION_IS_FINAL = "cancellation_is_final"
    CHANGED_MEANWHILE = "changed_meanwhile"


_ALREADY = {
    FinalActionKind.CANCEL_AT_PERIOD_END: SkipReason.ALREADY_ENDING,
    FinalActionKind.DOWNGRADE: SkipReason.ALREADY_ON_PRICE,
    FinalActionKind.PAUSE: SkipReason.ALREADY_PAUSED,
}


@dataclass(frozen=True)
class FinalAction:
    """What a campaign asks for. `price_id` is the price to fall to, for a downgrade alone; raises `PriceMissing`.

    `debt` says what becomes of the open invoice; marking it uncollectible may also be the whole action. A pause may end
    by itself at `resumes_at` (aware UTC). What the customer chose themselves (`is_chosen`) no payment takes back.
    """

    kind: FinalActionKind
    price_id: str | None = None
    debt: DebtAfterwards = DebtAfterwards.KEEP
    resumes_at: datetime | None = None
    is_chosen: bool = False

    def __post_init__(self) -> None:
        if self.kind is FinalActionKind.DOWNGRADE and not self.price_id:
            raise PriceMissing("a downgrade needs the id of the price to fall to")

    @property
    def debt_afterwards(self) -> DebtAfterwards:
        """What becomes of the invoice, whichever of the two fields says it."""
        is_write_off = self.kind is FinalActionKind.MARK_UNCOLLECTIBLE
        return DebtAfterwards.MARK_UNCOLLECTIBLE if is_write_off else self.debt


@dataclass(frozen=True)
class FinalResult:
    """How a final action ended. `reason` names why something was not done; `summary` is a sentence for the timeline.

    `changed_subscription` tells whether the customer has anything to hear of: a debt may change alone.
    """

    state: FinalActionState
    summary: str
    reason: str | None = None
    changed_subscription: bool = False


@dataclass(frozen=True)
class Plan:
    """What is to be done, from what things were before. `reason` says why a part, or all of it, is left out."""

    changes_subscription: bool
    changes_debt: bool
    reason: SkipReason | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.changes_subscription or self.changes_debt)


def plan(action: FinalAction, invoice: InvoiceSnapshot | None, subscription: SubscriptionSnapshot | None) -> Plan:
    """What `action` means for these two; each is None when there is none (or none any more)."""
    reason = reason_to_stop(invoice) if invoice else SkipReason.INVOICE_GONE
    if invoice is None or reason:
        return Plan(changes_subscription=False, changes_debt=False, reason=reason)
    reason = _reason_to_spare(action, invoice, subscription)
    changes_debt = _is_debt_to_change(action, invoice)
    if action.kind is FinalActionKind.MARK_UNCOLLECTIBLE and not changes_debt:
        reason = SkipReason.ALREADY_UNCOLLECTIBLE
    return Plan(
        changes_subscription=action.kind in SUBSCRIPTION_KINDS and reason is None,
        changes_debt=changes_debt,
        reason=reason,
    )


def reason_to_stop(invoice: InvoiceSnapshot) -> SkipReason | None:
    """Money wins, and a debt that was taken back is no reason to take anything away."""
    if invoice.status == "paid":
        return SkipReason.INVOICE_PAID
    return SkipReason.INVOICE_VOIDED if invoice.status == "void" else None


def is_debt_settled(action: FinalAction, invoice: InvoiceSnapshot) -> bool:
    """Whether the invoice already is what the action wants it to become."""
    wanted = {DebtAfterwards.VOID: "void", DebtAfterwards.MARK_UNCOLLECTIBLE: "uncollectible"}
    return wanted.get(action.debt_afterwards, invoice.status) == invoice.status


def _is_debt_to_change(action: FinalAction, invoice: InvoiceSnapshot) -> bool:
    return action.debt_afterwards is not DebtAfterwards.KEEP and not is_debt_settled(action, invoice)


def _reason_to_spare(
    action: FinalAction, invoice: InvoiceSnapshot, subscription: SubscriptionSnapshot | None
) -> SkipReason | None:
    if action.kind not in SUBSCRIPTION_KINDS:
        return None
    if subscription is None:
        return SkipReason.SUBSCRIPTION_GONE if invoice.subscription_id else SkipReason.NO_SUBSCRIPTION
    if is_over(subscription):
        return SkipReason.ALREADY_CANCELLED
    return _ALREADY.get(action.kind) if is_effect_visible(action.kind, action.price_id, subscription) else None
