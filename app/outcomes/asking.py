"""One piece of work on one case: reading what Stripe shows now, and asking it for the changes of an action.

Every change is looked for before it is asked for and again after a refusal, because an earlier try may have got
through without our hearing of it. Knows how to ask, not whether to.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.context import Context
from app.models.subscription_snapshot import SubscriptionSnapshot as Row
from app.outcomes import ledger
from app.outcomes.actions import FinalAction, is_debt_settled
from app.outcomes.looks import is_effect_visible
from app.stripe_gateway.errors import NotFound, Permanent, StripeUnavailable
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.readers import read_subscription
from app.stripe_gateway.snapshots import InvoiceSnapshot, SubscriptionSnapshot
from app.vocabulary import DebtAfterwards, FinalActionKind

# Coming invoices of a paused subscription are voided: nobody is to be charged later for time without service.
PAUSE_BEHAVIOR = "void"


@dataclass(frozen=True)
class Work:
    """Which case, through which doors, and the moment that this piece of work calls now."""

    context: Context
    gateway: StripeGateway
    organization_id: UUID
    case_id: UUID
    now: datetime

    def transaction(self) -> AbstractContextManager[Session]:
        """One transaction of the case's organization."""
        return self.context.database.organization(self.organization_id)

    def with_living_key(self, row: Row) -> Row:
        """The row, with new idempotency keys where Stripe may have forgotten the old ones."""
        return self._renewed(row) if ledger.is_key_stale(row, self.now) else row

    def find_invoice(self, invoice_id: str) -> InvoiceSnapshot | None:
        """The invoice as Stripe shows it now; None when Stripe does not know it."""
        try:
            return self.gateway.get_invoice(invoice_id)
        except NotFound:
            return None

    def find_subscription(self, subscription_id: str | None) -> SubscriptionSnapshot | None:
        """The subscription and its schedule as Stripe shows them now; None when there is none."""
        try:
            return self.gateway.get_subscription(subscription_id) if subscription_id else None
        except NotFound:
            return None

    def change_subscription(self, row: Row, action: FinalAction, now: SubscriptionSnapshot | None) -> bool:
        """Have the subscription changed as `action` says; False when it is gone. Raises what the gateway raises."""
        if now is None or is_effect_visible(action.kind, action.price_id, now):
            return now is not None
        try:
            with self._minding_stored_answers(row):
                self._ask_for_change(row, action)
        except Permanent:
            again = self.find_subscription(now.id)
            if again is None or not is_effect_visible(action.kind, action.price_id, again):
                raise
        return True

    def change_debt(self, action: FinalAction, now: InvoiceSnapshot) -> None:
        """Have the invoice become what `action` says. These calls set a state and need no key."""
        if is_debt_settled(action, now):
            return
        try:
            if action.debt_afterwards is DebtAfterwards.VOID:
                self.gateway.void_invoice(now.id)
            else:
                self.gateway.mark_uncollectible(now.id)
        except Permanent:
            again = self.find_invoice(now.id)
            if again is None or not is_debt_settled(action, again):
                raise

    def undo(self, row: Row) -> None:
        """Have the action of `row` taken back, as the snapshot in it says."""
        before = read_subscription(row.before)
        key = ledger.key_of(row, "restore", 1)
        with self._minding_stored_answers(row):
            match row.action:
                case FinalActionKind.DOWNGRADE:
                    self.gateway.restore_items(before, idempotency_key=key)
                case FinalActionKind.PAUSE:
                    self.gateway.resume_collection(before.id, idempotency_key=key)
                case FinalActionKind.CANCEL_AT_PERIOD_END:
                    self.gateway.undo_cancel_at_period_end(before, idempotency_key=key)

    def _ask_for_change(self, row: Row, action: FinalAction) -> None:
        # From the stored snapshot, never from what is there now: the same key must carry the same parameters.
        before = read_subscription(row.before)
        key = ledger.key_of(row, "final", 1)
        match action.kind:
            case FinalActionKind.CANCEL_NOW:
                self.gateway.cancel_subscription(before.id, idempotency_key=key)
            case FinalActionKind.CANCEL_AT_PERIOD_END:
                self.gateway.cancel_subscription_at_period_end(before, idempotency_key=key)
            case FinalActionKind.DOWNGRADE:
                self.gateway.change_price(before, str(action.price_id), idempotency_key=key)
            case FinalActionKind.PAUSE:
                self.gateway.pause_collection(
                    before.id, PAUSE_BEHAVIOR, idempotency_key=key, resumes_at=action.resumes_at
                )

    @contextmanager
    def _minding_stored_answers(self, row: Row) -> Iterator[None]:
        """Stripe gives a server error again and again under the key that met it; the next try needs another key."""
        try:
            yield
        except StripeUnavailable as error:
            if error.status is not None:
                self._renewed(row)
            raise

    def _renewed(self, row: Row) -> Row:
        with self.transaction() as session:
            return ledger.renew_key(session, row, now=self.now)
