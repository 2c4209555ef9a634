"""Whether access should stay, from rows: what `access` decides, for one customer and each of their subscriptions."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from app.api import access
from app.api.access import EXPLANATIONS, Access, Debt, Plan, Taken, Verdict, Why
from app.api.blueprint import now, rows
from app.api.operations import operation
from app.api.shapes import Entitlement, SubscriptionAccess
from app.messages import endings
from app.models import Customer, Invoice, RecoveryCase, Step, Subscription, SubscriptionSnapshot
from app.recovery import mail_steps, planning
from app.recovery.facts import find_hold
from app.vocabulary import OPEN_CASE_STATES, OPEN_STEP_STATES, CaseState, StepKind

HEARD_OF_WITHIN = timedelta(days=400)  # a yearly payment, and some
MAX_AGE = 30  # seconds


class EntitlementQuery(BaseModel):
    """For which subscription."""

    model_config = ConfigDict(extra="forbid")

    subscription: str | None = Field(None, description="Only this subscription, by its id at Stripe.", max_length=255)


@operation("/entitlements/<customer>", asks=EntitlementQuery, answers=Entitlement, max_age=MAX_AGE)
def entitlement(customer: str, asked: EntitlementQuery) -> Entitlement:
    """Whether a customer's access should stay, until when, and why.

    `customer` is their id at Stripe. Speaks of payments alone, and never takes access away for want of knowledge: a
    customer or subscription that Recoup has not heard of is kept, with that as the reason and not as a 404. Ask with
    `If-None-Match` to be told cheaply that nothing has changed.
    """
    with rows() as session:
        customers = session.scalars(select(Customer).where(Customer.stripe_id == customer)).all()
        if not customers:
            return _told(customer, Verdict(Access.KEEP, Why.UNKNOWN_CUSTOMER), [], is_known=False)
        found = [row for one in customers for row in _subscriptions(session, one, now())]
        loose = [
            verdict for one in customers for debt in _debts(session, one, None, now()) if (verdict := _loose(debt))
        ]
    if asked.subscription is not None:
        found = [row for row in found if row.subscription == asked.subscription] or [_unheard(asked.subscription)]
    verdicts = [Verdict(row.access, row.reason, row.until, row.then, row.case) for row in found]
    overall = access.of_customer(verdicts or loose)
    return _told(customer, overall, found, is_known=True)


def _told(customer: str, verdict: Verdict, found: list[SubscriptionAccess], *, is_known: bool) -> Entitlement:
    return Entitlement(
        customer=customer,
        is_known=is_known,
        access=verdict.access,
        until=verdict.until,
        then=verdict.then,
        reason=verdict.why,
        explanation=EXPLANATIONS[verdict.why],
        subscriptions=found,
    )


def _subscriptions(session: Session, customer: Customer, at: datetime) -> list[SubscriptionAccess]:
    known = session.scalars(
        select(Subscription)
        .where(
            Subscription.connection_id == customer.connection_id,
            Subscription.customer_stripe_id == customer.stripe_id,
        )
        .order_by(Subscription.stripe_id)
    ).all()
    told = []
    for row in known:
        verdict = access.of_subscription(_plan(row), _debts(session, customer, row, at), at)
        told.append(_line(row.stripe_id, verdict, row))
    return told + [_unheard(name) for name in _unknown(session, customer, known, at)]


def _line(name: str, verdict: Verdict, row: Subscription | None) -> SubscriptionAccess:
    return SubscriptionAccess(
        subscription=name,
        status=row.status if row else None,
        plan=row.plan_name if row else None,
        price=row.price_id if row else None,
        access=verdict.access,
        until=verdict.until,
        then=verdict.then,
        reason=verdict.why,
        explanation=EXPLANATIONS[verdict.why],
        case=verdict.case_id,
    )


def _unheard(name: str) -> SubscriptionAccess:
    return _line(name, Verdict(Access.KEEP, Why.UNKNOWN_SUBSCRIPTION), None)


def _unknown(session: Session, customer: Customer, known: Sequence[Subscription], at: datetime) -> Sequence[str]:
    """Subscriptions that an invoice names and that were never read themselves: they may be paid for."""
    named = select(Invoice.subscription_stripe_id).where(
        Invoice.connection_id == customer.connection_id,
        Invoice.customer_stripe_id == customer.stripe_id,
        Invoice.status.in_(("paid", "open")),
        Invoice.invoiced_at > at - HEARD_OF_WITHIN,
        Invoice.subscription_stripe_id.is_not(None),
        Invoice.subscription_stripe_id.not_in([row.stripe_id for row in known]),
    )
    return sorted(filter(None, session.scalars(named.distinct())))


def _plan(row: Subscription) -> Plan:
    return Plan(
        status=row.status,
        price_id=row.price_id,
        period_ends_at=row.current_period_end,
        is_ending=row.cancel_at_period_end,
        is_paused=row.pause_collection is not None,
    )


def _debts(session: Session, customer: Customer, subscription: Subscription | None, at: datetime) -> list[Debt]:
    """The cases that may still say something about one subscription; None stands for what belongs to none."""
    was_ended = exists().where(SubscriptionSnapshot.case_id == RecoveryCase.id)
    states = (*OPEN_CASE_STATES, CaseState.EXHAUSTED)
    query = select(RecoveryCase).where(
        RecoveryCase.customer_id == customer.id, or_(RecoveryCase.state.in_(states), was_ended)
    )
    mine = RecoveryCase.subscription_id
    query = query.where(mine == subscription.id if subscription else mine.is_(None))
    return [_debt(session, case, subscription, at) for case in session.scalars(query)]


def _debt(session: Session, case: RecoveryCase, subscription: Subscription | None, at: datetime) -> Debt:
    hold = find_hold(session, case, at)
    action, ends_at = endings.announced(session, case, subscription, at)
    is_left_alone = mail_steps.is_excluded(session, case, planning.definition_of(session, case))
    return Debt(
        case_id=case.id,
        state=case.state,
        action=action,
        ends_at=ends_at,
        is_end_planned=_is_end_planned(session, case.id),
        is_left_alone=is_left_alone,
        is_held=hold is not None,
        held_until=hold.until if hold else None,
        taken=_taken(session, case.id),
    )


def _is_end_planned(session: Session, case_id: UUID) -> bool:
    query = select(Step.id).where(
        Step.case_id == case_id, Step.kind == StepKind.FINAL_ACTION, Step.state.in_(OPEN_STEP_STATES)
    )
    return session.scalar(query.limit(1)) is not None


def _taken(session: Session, case_id: UUID) -> Taken | None:
    row = session.scalar(select(SubscriptionSnapshot).where(SubscriptionSnapshot.case_id == case_id))
    if row is None:
        return None
    resumes_at = row.parameters.get("resumes_at")
    return Taken(
        kind=row.action,
        state=row.state,
        has_changed=row.has_changed_subscription,
        is_chosen=row.is_chosen,
        price_id=row.parameters.get("price_id"),
        resumes_at=datetime.fromisoformat(resumes_at) if resumes_at else None,
    )


def _loose(debt: Debt) -> Verdict | None:
    """What a case without a subscription comes to for its customer: nothing can be taken, so access is kept."""
    if debt.state in OPEN_CASE_STATES:
        return Verdict(Access.KEEP, Why.ON_HOLD if debt.is_held else Why.IN_RECOVERY, case_id=debt.case_id)
    return None
