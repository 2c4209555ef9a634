"""Instead of paying: the pause, the smaller plan or the end that an operator lets customers choose for themselves.

A choice ends the chase at once: no more tries and mails, and the action is taken by a step that survives a crash. What
was is kept, so that it can be undone once nothing is owed; a payment alone undoes no wish of the customer's.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.contact import RetentionOffer
from app.errors import RecoupError
from app.messages.choices import TOLD as TOLD
from app.messages.endings import has_stake
from app.models import RecoveryCase, Subscription, SubscriptionSnapshot
from app.outcomes.actions import RESTORABLE_KINDS, FinalAction
from app.recovery import cases, planning, steps
from app.recovery.choices import CHOSEN, UNDO, months_later, write_choice
from app.vocabulary import (
    CaseState,
    DebtAfterwards,
    EntryKind,
    FinalActionKind,
    FinalActionState,
    StepKind,
)


class NotOffered(RecoupError):
    """This cannot be chosen for the case (any more)."""


@dataclass(frozen=True)
class Offer:
    """One thing to choose: its word on the page, and the action that it comes to."""

    name: str
    action: FinalAction
    ends_at: datetime | None

    @property
    def can_be_undone(self) -> bool:
        return self.action.kind in RESTORABLE_KINDS


def offers(session: Session, case: RecoveryCase, now: datetime) -> tuple[Offer, ...]:
    """What the customer of `case` may choose now, in the operator's order."""
    subscription = session.get(Subscription, case.subscription_id) if case.subscription_id else None
    if not _may_choose(session, case) or subscription is None or not has_stake(subscription):
        return ()
    wanted = planning.definition_of(session, case).page.retention
    return tuple(offer for one in wanted if (offer := _offer(one, case, subscription, now)))


def choose(session: Session, case: RecoveryCase, name: str, plan: str | None, now: datetime) -> Offer:
    """End the chase of `case` by the customer's choice and put the action on the calendar for this moment.

    `plan` is what a smaller plan is called. The case is locked. Raises `NotOffered`.
    """
    offer = next((one for one in offers(session, case, now) if one.name == name), None)
    if offer is None:
        raise NotOffered(f"{name} is not on offer for this case")
    summary = f"The customer chose to {_WORDS[offer.action.kind]} instead of paying."
    planning.end_chase(session, case, f"chosen:{case.version}", summary, now, choice=offer.action.kind)
    written = write_choice(offer.action)
    told = {"choice": offer.action.kind, "plan": plan, "resumes_at": written["choice"]["resumes_at"]}
    cases.append(session, case, EntryKind.FACT, TOLD, TOLD, now, now, summary, told)
    steps.plan(session, case, StepKind.FINAL_ACTION, CHOSEN, now, summary, written)
    return offer


def find_choice(session: Session, case: RecoveryCase) -> SubscriptionSnapshot | None:
    """What the customer chose for this case, once it was done, or is being done."""
    row = session.scalar(select(SubscriptionSnapshot).where(SubscriptionSnapshot.case_id == case.id))
    return row if row is not None and row.is_chosen else None


def can_undo(session: Session, case: RecoveryCase) -> bool:
    """Whether the customer may take their choice back: it can be, it stands, and the debt behind it was paid."""
    row = find_choice(session, case)
    return (
        row is not None
        and row.state is FinalActionState.DONE
        and row.action in RESTORABLE_KINDS
        and case.state is CaseState.RECOVERED
    )


def undo(session: Session, case: RecoveryCase, now: datetime) -> None:
    """Put the undoing of the customer's choice on the calendar. The case is locked. Raises `NotOffered`."""
    if not can_undo(session, case):
        raise NotOffered("there is nothing that could be taken back now")
    steps.plan(session, case, StepKind.RESTORE, UNDO, now, "The customer took their choice back.")


def _may_choose(session: Session, case: RecoveryCase) -> bool:
    """Only while the case is open, nobody charges, and nothing was taken from the subscription before."""
    if case.state not in (CaseState.WAITING, CaseState.NEEDS_CUSTOMER):
        return False
    query = select(SubscriptionSnapshot.id).where(SubscriptionSnapshot.case_id == case.id)
    return session.scalar(query) is None


def _offer(wanted: RetentionOffer, case: RecoveryCase, subscription: Subscription, now: datetime) -> Offer | None:
    action = _action(wanted, case, subscription, now)
    if action is None:
        return None
    ends_at = {
        FinalActionKind.PAUSE: action.resumes_at,
        FinalActionKind.CANCEL_AT_PERIOD_END: subscription.current_period_end,
    }
    return Offer(wanted.kind, action, ends_at.get(action.kind))


def _action(
    wanted: RetentionOffer, case: RecoveryCase, subscription: Subscription, now: datetime
) -> FinalAction | None:
    """None where it would change nothing, or has no price in the case's currency.

    A debt that stays is for the period under way, so the subscription ends with that; one that is dropped ends it now.
    """
    debt = wanted.debt
    if wanted.kind == "pause":
        resumes_at = months_later(now, wanted.months or 1)
        is_paused = subscription.pause_collection is not None
        return None if is_paused else FinalAction(FinalActionKind.PAUSE, None, debt, resumes_at, is_chosen=True)
    if wanted.kind == "downgrade":
        price_id = wanted.prices.get(case.currency)
        if price_id is None or price_id == subscription.price_id:
            return None
        return FinalAction(FinalActionKind.DOWNGRADE, price_id, debt, is_chosen=True)
    if debt is not DebtAfterwards.KEEP:
        return FinalAction(FinalActionKind.CANCEL_NOW, None, debt, is_chosen=True)
    if subscription.cancel_at_period_end:
        return None
    return FinalAction(FinalActionKind.CANCEL_AT_PERIOD_END, None, debt, is_chosen=True)


_WORDS = {
    FinalActionKind.PAUSE: "pause",
    FinalActionKind.DOWNGRADE: "move to a smaller plan",
    FinalActionKind.CANCEL_NOW: "cancel",
    FinalActionKind.CANCEL_AT_PERIOD_END: "cancel at the end of the period",
}
