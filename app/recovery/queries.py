"""Cases as people and programs read them: one page of a filtered list, and one case with everything about it.

Only reads. Each function runs inside the transaction of one organization and never decides anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

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
from app.money import Money
from app.vocabulary import OPEN_STEP_STATES, CaseState, HoldKind, StepKind

PAGE_SIZE = 50
COUNTED_AT_MOST = 10_000


class CaseNotFound(RecoupError):
    """This organization has no case with this id."""


class CaseOrder(StrEnum):
    """How a list of cases is sorted; equal ones by id, so that pages never overlap."""

    NEWEST = "newest"
    OLDEST = "oldest"
    AMOUNT = "amount"
    NEXT_STEP = "next_step"


@dataclass(frozen=True)
class CaseFilter:
    """Which cases; an empty field filters nothing. `text` looks in customers, invoices, subscriptions and their ids."""

    states: tuple[CaseState, ...] = ()
    decline_class: str | None = None
    currency: str | None = None
    text: str | None = None
    order: CaseOrder = CaseOrder.NEWEST
    page: int = 1


@dataclass(frozen=True)
class CaseRow:
    """One line of the list. `next_kind` and `next_due_at` are the earliest open step, None where nothing is planned."""

    case_id: UUID
    customer: str
    customer_stripe_id: str
    invoice_number: str
    plan_name: str | None
    amount: Money
    state: CaseState
    decline_class: str | None
    why: str
    failed_at: datetime
    next_kind: StepKind | None
    next_due_at: datetime | None
    hold: HoldKind | None
    livemode: bool


@dataclass(frozen=True)
class CasePage:
    """Up to `PAGE_SIZE` rows, and how many there are in all (counted up to `COUNTED_AT_MOST`)."""

    rows: tuple[CaseRow, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


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
    def next_step(self) -> Step | None:
        """The open step that is due first."""
        still_open = [step for step in self.steps if step.state in OPEN_STEP_STATES]
        return min(still_open, key=lambda step: step.due_at, default=None)


def list_cases(session: Session, wanted: CaseFilter, now: datetime) -> CasePage:
    """One page of the cases that fit `wanted`; a page past the end is empty. Holds count as of `now`."""
    matching = _matching(select(RecoveryCase.id), wanted).limit(COUNTED_AT_MOST).subquery()
    total = session.scalar(select(func.count()).select_from(matching)) or 0
    upcoming = _earliest_step()
    query = _matching(
        select(RecoveryCase, Customer, Invoice, Subscription.plan_name, Connection.livemode)
        .add_columns(upcoming.c.kind, upcoming.c.due_at, _current_hold(now))
        .join(Connection, Connection.id == RecoveryCase.connection_id)
        .outerjoin(upcoming, upcoming.c.case_id == RecoveryCase.id),
        wanted,
    )
    page = max(1, wanted.page)
    ordered = query.order_by(*_order(wanted.order, upcoming.c.due_at), RecoveryCase.id)
    rows = session.execute(ordered.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE))
    return CasePage(tuple(_row(*row) for row in rows), total, page)


def list_values(session: Session) -> tuple[Sequence[str], Sequence[str]]:
    """The decline classes and the currencies that occur, for the choices of a filter."""
    classes = select(RecoveryCase.decline_class).where(RecoveryCase.decline_class.is_not(None)).distinct()
    currencies = select(RecoveryCase.currency).distinct()
    return sorted(filter(None, session.scalars(classes))), sorted(session.scalars(currencies))


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


def _matching(query: Select[Any], wanted: CaseFilter) -> Select[Any]:
    query = (
        query.join(Customer, Customer.id == RecoveryCase.customer_id)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .outerjoin(Subscription, Subscription.id == RecoveryCase.subscription_id)
    )
    if wanted.states:
        query = query.where(RecoveryCase.state.in_(wanted.states))
    if wanted.decline_class:
        query = query.where(RecoveryCase.decline_class == wanted.decline_class)
    if wanted.currency:
        query = query.where(RecoveryCase.currency == wanted.currency.lower())
    if wanted.text and wanted.text.strip():
        query = query.where(_mentions(wanted.text.strip()))
    return query


def _mentions(text: str) -> ColumnElement[bool]:
    columns = (
        Customer.name,
        Customer.email,
        Customer.stripe_id,
        Invoice.number,
        Invoice.stripe_id,
        Subscription.stripe_id,
        Subscription.plan_name,
    )
    return or_(*(column.icontains(text.replace("\x00", ""), autoescape=True) for column in columns))


def _earliest_step() -> Any:
    return (
        select(Step.case_id, Step.kind, Step.due_at)
        .where(Step.state.in_(OPEN_STEP_STATES))
        .ext(distinct_on(Step.case_id))
        .order_by(Step.case_id, Step.due_at, Step.id)
        .subquery("upcoming")
    )


def _current_hold(now: datetime) -> Any:
    hold = aliased(Hold)
    return (
        select(hold.kind)
        .where(hold.customer_id == RecoveryCase.customer_id, hold.released_at.is_(None), hold.begins_at <= now)
        .where(or_(hold.case_id.is_(None), hold.case_id == RecoveryCase.id))
        .where(or_(hold.until.is_(None), hold.until > now))
        .order_by(hold.begins_at)
        .limit(1)
        .scalar_subquery()
    )


def _order(order: CaseOrder, next_due_at: Any) -> tuple[Any, ...]:
    return {
        CaseOrder.NEWEST: (RecoveryCase.failed_at.desc(),),
        CaseOrder.OLDEST: (RecoveryCase.failed_at.asc(),),
        CaseOrder.AMOUNT: (RecoveryCase.currency, RecoveryCase.amount_due.desc()),
        CaseOrder.NEXT_STEP: (next_due_at.asc().nulls_last(),),
    }[order]


def _row(
    case: RecoveryCase,
    customer: Customer,
    invoice: Invoice,
    plan_name: str | None,
    livemode: bool,
    next_kind: StepKind | None,
    next_due_at: datetime | None,
    hold: HoldKind | None,
) -> CaseRow:
    return CaseRow(
        case_id=case.id,
        customer=customer.name or customer.email or customer.stripe_id,
        customer_stripe_id=customer.stripe_id,
        invoice_number=invoice.number or invoice.stripe_id,
        plan_name=plan_name,
        amount=Money(case.amount_due, case.currency),
        state=case.state,
        decline_class=case.decline_class,
        why=case.why,
        failed_at=case.failed_at,
        next_kind=next_kind,
        next_due_at=next_due_at,
        hold=hold,
        livemode=livemode,
    )
