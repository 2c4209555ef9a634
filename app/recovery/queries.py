"""One case as people and programs read it: the case, its parties, and everything that was planned and happened.

Only reads, inside the transaction of one organization. Lists of cases are `case_lists`' business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.errors import RecoupError
from app.models import (
    Campaign,
    CampaignVersion,
    CaseEntry,
    ChargeAttempt,
    Connection,
    Customer,
    Hold,
    Invoice,
    Message,
    PaymentMethod,
    RecoveryCase,
    Step,
    Subscription,
    SubscriptionSnapshot,
)
from app.recovery.stopping import is_stopped
from app.vocabulary import OPEN_STEP_STATES, EntryKind


class CaseNotFound(RecoupError):
    """This organization has no case with this id."""


@dataclass(frozen=True)
class CaseDetail:
    """One case with its parties and its whole history. Lists of plans are oldest first, the timeline newest first."""

    case: RecoveryCase
    invoice: Invoice
    customer: Customer
    connection: Connection
    subscription: Subscription | None
    campaign: Campaign
    campaign_version: CampaignVersion
    card: PaymentMethod | None
    steps: Sequence[Step]
    attempts: Sequence[ChargeAttempt]
    messages: Sequence[Message]
    holds: Sequence[Hold]
    entries: Sequence[CaseEntry]
    snapshot: SubscriptionSnapshot | None
    siblings: Sequence[RecoveryCase]

    @property
    def decision(self) -> CaseEntry | None:
        """The planner's newest word on the case."""
        return next((entry for entry in self.entries if entry.kind is EntryKind.DECISION), None)

    def hold_at(self, now: datetime) -> Hold | None:
        """The hold in force at `now` that ends last; one without an end counts as last."""
        current = [hold for hold in self.holds if hold.released_at is None and (not hold.until or hold.until > now)]
        return max(current, key=lambda hold: (hold.until is None, hold.until or now), default=None)

    def next_step(self, now: datetime) -> Step | None:
        """The open step that is due first, of those that no hold stops."""
        hold = self.hold_at(now)
        coming = [
            step
            for step in self.steps
            if step.state in OPEN_STEP_STATES
            and not (hold and is_stopped(self.case.state, step.kind, step.due_at, hold.kind, hold.until))
        ]
        return min(coming, key=lambda step: step.due_at, default=None)


def get_case(session: Session, case_id: UUID) -> CaseDetail:
    """Everything about one case; raises `CaseNotFound`, also for another organization's."""
    found = session.execute(
        select(RecoveryCase, Invoice, Customer, Connection, Subscription, Campaign, CampaignVersion)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .join(Customer, Customer.id == RecoveryCase.customer_id)
        .join(Connection, Connection.id == RecoveryCase.connection_id)
        .outerjoin(Subscription, Subscription.id == RecoveryCase.subscription_id)
        .join(CampaignVersion, CampaignVersion.id == RecoveryCase.campaign_version_id)
        .join(Campaign, Campaign.id == CampaignVersion.campaign_id)
        .where(RecoveryCase.id == case_id)
    ).one_or_none()
    if found is None:
        raise CaseNotFound("there is no such case in this organization")
    case, invoice, customer, connection, subscription, campaign, version = found
    return CaseDetail(
        case=case,
        invoice=invoice,
        customer=customer,
        connection=connection,
        subscription=subscription,
        campaign=campaign,
        campaign_version=version,
        card=_find_card(session, customer, subscription),
        **_history(session, case),
    )


def _history(session: Session, case: RecoveryCase) -> dict[str, Any]:
    def of_case(record: Any, *order: Any) -> Sequence[Any]:
        return session.scalars(select(record).where(record.case_id == case.id).order_by(*order)).all()

    holds = select(Hold).where(Hold.customer_id == case.customer_id)
    siblings = select(RecoveryCase).where(RecoveryCase.customer_id == case.customer_id, RecoveryCase.id != case.id)
    return {
        "steps": of_case(Step, Step.due_at, Step.id),
        "attempts": of_case(ChargeAttempt, ChargeAttempt.started_at, ChargeAttempt.id),
        "messages": of_case(Message, Message.planned_at, Message.id),
        "entries": of_case(CaseEntry, CaseEntry.happened_at.desc(), CaseEntry.id.desc()),
        "snapshot": session.scalar(select(SubscriptionSnapshot).where(SubscriptionSnapshot.case_id == case.id)),
        "holds": session.scalars(
            holds.where(or_(Hold.case_id.is_(None), Hold.case_id == case.id)).order_by(Hold.begins_at.desc())
        ).all(),
        "siblings": session.scalars(siblings.order_by(RecoveryCase.failed_at.desc()).limit(20)).all(),
    }


def _find_card(session: Session, customer: Customer, subscription: Subscription | None) -> PaymentMethod | None:
    """What a try would charge by default: the subscription's own payment method before the customer's."""
    own = subscription.default_payment_method_id if subscription else None
    stripe_id = own or customer.default_payment_method_id or customer.default_source_id
    if stripe_id is None:
        return None
    return session.scalar(
        select(PaymentMethod).where(
            PaymentMethod.connection_id == customer.connection_id, PaymentMethod.stripe_id == stripe_id
        )
    )
