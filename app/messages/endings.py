"""How a case will end if nothing helps, as far as anybody can know today: what may be announced, and for when.

A campaign names one end for all its cases. Where there is no subscription to take it from, or the subscription is that
way already, it will not happen, and so nobody is told that it will. Decides nothing about carrying it out.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy import case as case_when
from sqlalchemy.orm import Session

from app.db import prepared
from app.messages.cadence import MailKind
from app.messages.correspondence import LEFT
from app.models import CampaignVersion, Message, RecoveryCase, Step, Subscription
from app.vocabulary import (
    ENDED_SUBSCRIPTIONS,
    OPEN_CASE_STATES,
    OPEN_STEP_STATES,
    DebtAfterwards,
    FinalActionKind,
    MessageState,
    StepKind,
)

LEAST_NOTICE = timedelta(days=1)
"""Between the final notice and the end, whatever held the notice up: promises, other mails, the night, an outage."""

LEAVES_SUBSCRIPTION = (FinalActionKind.MARK_UNCOLLECTIBLE, FinalActionKind.LEAVE)


def has_stake(subscription: Subscription | None) -> bool:
    """Whether there is a subscription that this case can still take something from."""
    return subscription is not None and subscription.status not in ENDED_SUBSCRIPTIONS


def foreseen(
    kind: FinalActionKind, price_id: str | None, debt: DebtAfterwards, subscription: Subscription | None
) -> FinalActionKind:
    """What a campaign's end comes to for this subscription as it is now.

    Where nothing can be taken, what is left is what becomes of the debt; a voided one is not announced to who owes it.
    """
    if kind in LEAVES_SUBSCRIPTION:
        return kind
    if subscription is not None and has_stake(subscription) and not _is_so_already(kind, price_id, subscription):
        return kind
    is_written_off = debt is DebtAfterwards.MARK_UNCOLLECTIBLE
    return FinalActionKind.MARK_UNCOLLECTIBLE if is_written_off else FinalActionKind.LEAVE


def announced(
    session: Session, case: RecoveryCase, subscription: Subscription | None, now: datetime
) -> tuple[FinalActionKind | None, datetime | None]:
    """What a mail or page may say of the end of `case`, and its moment where that lies ahead.

    None where the campaign names no end.
    """
    settings: dict[str, Any] = session.get_one(CampaignVersion, case.campaign_version_id).definition.get(
        "final_action", {}
    )
    if "kind" not in settings:
        return None, None
    kind, price_id = _for_currency(settings, case.currency)
    action = foreseen(kind, price_id, DebtAfterwards(settings.get("debt", DebtAfterwards.KEEP)), subscription)
    at = _due_at(session, case, action, now)
    return action, at if at and at > now else None


def told_until(session: Session, case: RecoveryCase, now: datetime) -> datetime | None:
    """The moment before which the end must not come: a day after the final notice left, or may yet leave.

    None where none has left and none is on its way: to nobody who can be reached, that is.
    """
    leaves = func.greatest(func.coalesce(Message.claimed_at, Message.next_try_at), _unless_left(now))
    query = select(func.max(leaves)).where(
        Message.case_id == case.id,
        Message.kind == MailKind.FINAL_NOTICE,
        Message.state.in_((MessageState.PLANNED, *LEFT)),
    )
    told_at: datetime | None = session.scalar(query)
    return told_at + LEAST_NOTICE if told_at else None


def _unless_left(now: datetime) -> ColumnElement[datetime]:
    """`now` for a mail that has not left: however long ago that should have been, it leaves from now on."""
    return case_when((Message.claimed_at.is_(None), now), else_=None)


def _is_so_already(kind: FinalActionKind, price_id: str | None, subscription: Subscription) -> bool:
    match kind:
        case FinalActionKind.CANCEL_AT_PERIOD_END:
            return subscription.cancel_at_period_end
        case FinalActionKind.DOWNGRADE:
            return subscription.price_id == price_id
        case FinalActionKind.PAUSE:
            return subscription.pause_collection is not None
        case _:
            return False


def _for_currency(settings: dict[str, Any], currency: str) -> tuple[FinalActionKind, str | None]:
    """The campaign's final action; a downgrade without a price in this currency cancels at the end of the period."""
    kind, price_id = FinalActionKind(settings["kind"]), settings.get("prices", {}).get(currency)
    if kind is FinalActionKind.DOWNGRADE and price_id is None:
        return FinalActionKind.CANCEL_AT_PERIOD_END, None
    return kind, price_id


def _due_at(session: Session, case: RecoveryCase, action: FinalActionKind, now: datetime) -> datetime | None:
    """As planned once it is, else a grace after the window; who only stops trying waits for no grace."""
    due: dict[StepKind, datetime] = dict(session.execute(*_planned_ends(case.id)).all())
    planned = due.get(StepKind.FINAL_ACTION)
    if planned or case.state not in OPEN_CASE_STATES:
        return planned
    ends = max(due.get(StepKind.WINDOW_END, case.window_ends_at), case.window_ends_at)
    ends = max(ends, told_until(session, case, now) or ends)
    return ends if action is FinalActionKind.LEAVE else ends + (case.grace_until - case.window_ends_at)


@prepared
def _planned_ends(case_id: UUID) -> Select[StepKind, datetime]:
    ends = Step.kind.in_((StepKind.FINAL_ACTION, StepKind.WINDOW_END))
    return select(Step.kind, Step.due_at).where(Step.case_id == case_id, ends, Step.state.in_(OPEN_STEP_STATES))
