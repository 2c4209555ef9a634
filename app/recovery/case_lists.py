"""Cases as a list: one page of those that fit a filter, in an order. One case in full is `queries`' business.

Only reads, inside the transaction of one organization.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from app.models import Connection, Customer, Hold, Invoice, RecoveryCase, Step, Subscription
from app.money import Money
from app.recovery.stopping import is_stopped
from app.vocabulary import OPEN_STEP_STATES, CaseState, HoldKind, StepKind

PAGE_SIZE = 50
COUNTED_AT_MOST = 10_000


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
    """One line of the list. `next_kind` and `next_due_at` are the earliest open step, None where nothing is planned.

    Of several holds it names the one that ends last; `hold_until` is None for one whose end nobody knows.
    """

    case_id: UUID
    customer: str
    customer_stripe_id: str
    invoice_number: str
    billed_name: str | None
    amount: Money
    state: CaseState
    decline_class: str | None
    why: str
    failed_at: datetime
    next_kind: StepKind | None
    next_due_at: datetime | None
    hold: HoldKind | None
    hold_until: datetime | None
    livemode: bool

    @property
    def is_stopped(self) -> bool:
        """Whether a hold stops what the calendar has next."""
        if self.hold is None or self.next_kind is None or self.next_due_at is None:
            return False
        return is_stopped(self.state, self.next_kind, self.next_due_at, self.hold, self.hold_until)


@dataclass(frozen=True)
class CasePage:
    """Up to `PAGE_SIZE` rows, and how many there are in all (counted up to `COUNTED_AT_MOST`)."""

    rows: tuple[CaseRow, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


def list_cases(session: Session, wanted: CaseFilter, now: datetime) -> CasePage:
    """One page of the cases that fit `wanted`; a page past the end is empty. Holds count as of `now`.

    The page's ids are chosen first and only those fifty cases are read in full: a console asks for this every second.
    """
    matching = _matching(wanted).limit(COUNTED_AT_MOST).subquery()
    total = session.scalar(select(func.count()).select_from(matching)) or 0
    page = max(1, wanted.page)
    ordered = _ordered(_matching(wanted), wanted.order).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    ids = session.scalars(ordered).all()
    rows = {row.case_id: row for row in _read_rows(session, ids, now)}
    return CasePage(tuple(rows[case_id] for case_id in ids), total, page)


def _read_rows(session: Session, ids: Sequence[UUID], now: datetime) -> Iterator[CaseRow]:
    upcoming = _earliest_step().where(Step.case_id.in_(ids)).subquery()
    held = aliased(Hold)
    query = (
        select(RecoveryCase, Customer, Invoice, Connection.livemode)
        .add_columns(upcoming.c.kind, upcoming.c.due_at, held.kind, held.until)
        .join(Customer, Customer.id == RecoveryCase.customer_id)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .join(Connection, Connection.id == RecoveryCase.connection_id)
        .outerjoin(upcoming, upcoming.c.case_id == RecoveryCase.id)
        .outerjoin(held, held.id == _current_hold(now))
        .where(RecoveryCase.id.in_(ids))
    )
    return (_row(*row) for row in session.execute(query))


def list_values(session: Session) -> tuple[Sequence[str], Sequence[str]]:
    """The decline classes and the currencies that occur, for the choices of a filter."""
    classes = select(RecoveryCase.decline_class).where(RecoveryCase.decline_class.is_not(None)).distinct()
    currencies = select(RecoveryCase.currency).distinct()
    return sorted(filter(None, session.scalars(classes))), sorted(session.scalars(currencies))


def _matching(wanted: CaseFilter) -> Select[UUID]:
    query = select(RecoveryCase.id)
    if wanted.states:
        query = query.where(RecoveryCase.state.in_(wanted.states))
    if wanted.decline_class:
        query = query.where(RecoveryCase.decline_class == wanted.decline_class)
    if wanted.currency:
        query = query.where(RecoveryCase.currency == wanted.currency.lower())
    if wanted.text and wanted.text.strip():
        query = (
            query.join(Customer, Customer.id == RecoveryCase.customer_id)
            .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
            .outerjoin(Subscription, Subscription.id == RecoveryCase.subscription_id)
            .where(_mentions(wanted.text.strip()))
        )
    return query


def _mentions(text: str) -> ColumnElement[bool]:
    columns = (
        Customer.name,
        Customer.email,
        Customer.stripe_id,
        Invoice.number,
        Invoice.stripe_id,
        Subscription.stripe_id,
        RecoveryCase.billed_name,
        Subscription.plan_name,
    )
    return or_(*(column.icontains(text.replace("\x00", ""), autoescape=True) for column in columns))


def _earliest_step() -> Select[UUID, StepKind, datetime]:
    return (
        select(Step.case_id, Step.kind, Step.due_at)
        .where(Step.state.in_(OPEN_STEP_STATES))
        .ext(distinct_on(Step.case_id))
        .order_by(Step.case_id, Step.due_at, Step.id)
    )


def _current_hold(now: datetime) -> Any:
    hold = aliased(Hold)
    return (
        select(hold.id)
        .where(hold.customer_id == RecoveryCase.customer_id, hold.released_at.is_(None), hold.begins_at <= now)
        .where(or_(hold.case_id.is_(None), hold.case_id == RecoveryCase.id))
        .where(or_(hold.until.is_(None), hold.until > now))
        .order_by(hold.until.desc().nulls_first(), hold.id)
        .limit(1)
        .scalar_subquery()
    )


def _ordered(query: Select[UUID], order: CaseOrder) -> Select[UUID]:
    if order is CaseOrder.NEXT_STEP:
        upcoming = _earliest_step().subquery()
        query = query.outerjoin(upcoming, upcoming.c.case_id == RecoveryCase.id)
        return query.order_by(upcoming.c.due_at.asc().nulls_last(), RecoveryCase.id)
    columns: dict[CaseOrder, tuple[Any, ...]] = {
        CaseOrder.NEWEST: (RecoveryCase.failed_at.desc(),),
        CaseOrder.OLDEST: (RecoveryCase.failed_at.asc(),),
        CaseOrder.AMOUNT: (RecoveryCase.currency, RecoveryCase.amount_due.desc()),
    }
    return query.order_by(*columns[order], RecoveryCase.id)


def _row(
    case: RecoveryCase,
    customer: Customer,
    invoice: Invoice,
    livemode: bool,
    next_kind: StepKind | None,
    next_due_at: datetime | None,
    hold: HoldKind | None,
    hold_until: datetime | None,
) -> CaseRow:
    return CaseRow(
        case_id=case.id,
        customer=customer.name or customer.email or customer.stripe_id,
        customer_stripe_id=customer.stripe_id,
        invoice_number=invoice.number or invoice.stripe_id,
        billed_name=case.billed_name or invoice.description,
        amount=Money(case.amount_due, case.currency),
        state=case.state,
        decline_class=case.decline_class,
        why=case.why,
        failed_at=case.failed_at,
        next_kind=next_kind,
        next_due_at=next_due_at,
        hold=hold,
        hold_until=hold_until,
        livemode=livemode,
    )
