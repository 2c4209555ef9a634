"""The stored side of final actions: one row a case, written before Stripe is asked and settled after it answered.

Each function is given an open transaction of one organization and leaves the commit to its caller.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from app.errors import RecoupError
from app.models.invoice import Invoice
from app.models.recovery_case import RecoveryCase
from app.models.subscription import Subscription
from app.models.subscription_snapshot import SubscriptionSnapshot as Row
from app.outcomes.actions import FinalAction
from app.outcomes.looks import schedule_of
from app.stripe_gateway.snapshots import InvoiceSnapshot, SubscriptionSnapshot
from app.vocabulary import DebtAfterwards, FinalActionKind, FinalActionState

# Stripe keeps an idempotency key for at least 24 hours; an hour is left for clocks that disagree.
KEY_LIFE = timedelta(hours=23)


class CaseMissing(RecoupError):
    """No such case in this organization."""


@dataclass(frozen=True)
class Target:
    """What a case is about, by Stripe's ids, and its final action as stored so far."""

    invoice_id: str
    subscription_id: str | None
    row: Row | None


def find_target(session: Session, case_id: UUID) -> Target:
    """Raises `CaseMissing`. An old debt names no subscription, though its invoice may: that one has gone on since."""
    found = session.execute(
        select(Invoice.stripe_id, Subscription.stripe_id)
        .select_from(RecoveryCase)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .outerjoin(Subscription, Subscription.id == RecoveryCase.subscription_id)
        .where(RecoveryCase.id == case_id)
    ).one_or_none()
    if found is None:
        raise CaseMissing(f"there is no case {case_id} in this organization")
    return Target(found[0], found[1], find_row(session, case_id))


def find_row(session: Session, case_id: UUID) -> Row | None:
    """The final action of a case, fresh from the database."""
    return session.scalar(select(Row).where(Row.case_id == case_id).execution_options(populate_existing=True))


def has_something_to_restore(session: Session, case_id: UUID) -> bool:
    """Whether a payment of this case calls for `restore`: an action was taken, or may have been, and was not the
    customer's own wish."""
    row = find_row(session, case_id)
    return row is not None and row.state in (FinalActionState.INTENDED, FinalActionState.DONE) and not row.is_chosen


def has_ended(session: Session, subscription_stripe_id: str) -> bool:
    """Whether a final action of ours, of whichever case, ended this subscription, or may have: its end is no wish of
    the customer's then. What the customer chose is their wish; what was undone is no end of ours any more.
    """
    rows = session.scalars(
        select(Row).where(
            Row.subscription_stripe_id == subscription_stripe_id,
            Row.action.in_((FinalActionKind.CANCEL_NOW, FinalActionKind.CANCEL_AT_PERIOD_END)),
            Row.state.in_((FinalActionState.INTENDED, FinalActionState.DONE)),
        )
    )
    return any(not row.is_chosen for row in rows)


def record(
    session: Session,
    *,
    case_id: UUID,
    action: FinalAction,
    invoice: InvoiceSnapshot | None,
    subscription: SubscriptionSnapshot | None,
    state: FinalActionState,
    reason: str | None,
    now: datetime,
) -> Row:
    """Write the row unless another worker was first; returns the one that stands."""
    settled = state is not FinalActionState.INTENDED
    session.execute(
        insert(Row)
        .values(
            organization_id=session.info["organization_id"],
            case_id=case_id,
            subscription_stripe_id=subscription.id if subscription else None,
            action=action.kind,
            state=state,
            reason=reason,
            before=subscription.raw if subscription else {},
            schedule_before=schedule_of(subscription) if subscription else None,
            parameters=_parameters(action, invoice, now),
            taken_at=now,
            done_at=now if settled else None,
        )
        .on_conflict_do_nothing(index_elements=[Row.case_id])
    )
    row = find_row(session, case_id)
    if row is None:
        raise CaseMissing(f"case {case_id} has vanished")
    return row


def action_of(row: Row) -> FinalAction:
    """The action as it was decided when the row was written: a repeat does the same again."""
    debt = DebtAfterwards(row.parameters.get("debt", DebtAfterwards.KEEP))
    resumes_at = row.parameters.get("resumes_at")
    return FinalAction(
        row.action,
        row.parameters.get("price_id"),
        debt,
        resumes_at=datetime.fromisoformat(resumes_at) if resumes_at else None,
        is_chosen=row.is_chosen,
    )


def settle(
    session: Session,
    row: Row,
    *,
    state: FinalActionState,
    reason: str | None,
    now: datetime,
    **seen: Any,
) -> Row:
    """Write how it ended, unless that is known already; returns the row that stands.

    `seen` is kept with the parameters: what the subscription looked like `after`, or what Stripe's `refusal` said.
    `done` also replaces `skipped`: whoever skipped had not seen a change that was still on its way to Stripe.
    """
    open_states = [FinalActionState.INTENDED]
    if state is FinalActionState.DONE:
        open_states.append(FinalActionState.SKIPPED)
    session.execute(
        update(Row)
        .where(Row.id == row.id, Row.state.in_(open_states))
        .values(state=state, reason=reason, done_at=now, parameters=Row.parameters.op("||")(_json(seen)))
    )
    return find_row(session, row.case_id) or row


def settle_restored(session: Session, row: Row, *, now: datetime) -> Row:
    """The action is undone; the first to say so wins."""
    session.execute(
        update(Row)
        .where(Row.id == row.id, Row.state.in_((FinalActionState.INTENDED, FinalActionState.DONE)))
        .values(state=FinalActionState.RESTORED, restored_at=now, done_at=func.coalesce(Row.done_at, now), reason=None)
    )
    return find_row(session, row.case_id) or row


def note_reason(session: Session, row: Row, reason: str, **seen: Any) -> Row:
    """Keep why an action that was taken is not undone."""
    session.execute(
        update(Row)
        .where(Row.id == row.id, Row.state == FinalActionState.DONE)
        .values(reason=reason, parameters=Row.parameters.op("||")(_json(seen)))
    )
    return find_row(session, row.case_id) or row


def renew_key(session: Session, row: Row, *, now: datetime) -> Row:
    """Begin a new generation of keys: under the old one Stripe would give its stored answer, or none any more."""
    generation = row.parameters.get("generation", 0)
    fresh = {"generation": generation + 1, "keyed_at": now.isoformat()}
    session.execute(
        update(Row)
        .where(Row.id == row.id, Row.parameters["generation"].as_integer() == generation)
        .values(parameters=Row.parameters.op("||")(_json(fresh)))
    )
    return find_row(session, row.case_id) or row


def is_key_stale(row: Row, now: datetime) -> bool:
    """Whether Stripe may have forgotten the present key, so that only reading can tell what was done."""
    return now - datetime.fromisoformat(row.parameters["keyed_at"]) >= KEY_LIFE


def key_of(row: Row, purpose: str, number: int) -> str:
    """`recoup:<organization>:<case>:<purpose>:<number>`, with the generation from the second one on."""
    generation = row.parameters.get("generation", 0)
    again = f":again{generation}" if generation else ""
    return f"recoup:{row.organization_id}:{row.case_id}:{purpose}:{number}{again}"


def _parameters(action: FinalAction, invoice: InvoiceSnapshot | None, now: datetime) -> dict[str, Any]:
    return {
        "price_id": action.price_id,
        "debt": action.debt,
        "resumes_at": action.resumes_at.isoformat() if action.resumes_at else None,
        "chosen": action.is_chosen,
        "did": [],
        "invoice_status": invoice.status if invoice else None,
        "generation": 0,
        "keyed_at": now.isoformat(),
    }


def _json(value: dict[str, Any]) -> Any:
    return cast(value, JSONB)
