"""How things stand between one customer and their payments, for support tools and the operator's own app."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select

from app.api.blueprint import context, holder, now, rows
from app.api.cases import with_names
from app.api.operations import operation
from app.api.problems import Refused
from app.api.shapes import CaseBrief, CustomerStatus, HoldShape, StepShape, sums
from app.links import PayLink, make_pay_url
from app.models import Customer, Invoice, RecoveryCase
from app.recovery import queries
from app.recovery.queries import CaseDetail
from app.vocabulary import OPEN_CASE_STATES, ApiScope, CaseState


@operation("/customers/<customer>/status", answers=CustomerStatus, may_fail=(404,))
def customer_status(customer: str) -> CustomerStatus:
    """How things stand between a customer and their payments.

    `customer` is their id at Stripe. 404 where Recoup has never heard of them, which is the case until something
    happens to one of their invoices or subscriptions.
    """
    with rows() as session:
        ids = session.scalars(select(Customer.id).where(Customer.stripe_id == customer)).all()
        if not ids:
            raise Refused(404, "Recoup has not heard of this customer. Check the id; it begins with cus_.")
        found = session.execute(
            with_names().where(RecoveryCase.customer_id.in_(ids), _is_open()).order_by(RecoveryCase.failed_at)
        ).all()
        details = [queries.get_case(session, row[0].id) for row in found]
        owed = [(row.invoice.amount_remaining, row.invoice.currency) for row in details]
        return CustomerStatus(
            customer=customer,
            status=_status([row[0].state for row in found]),
            owed=sums(owed),
            open_cases=[CaseBrief.of(*row) for row in found],
            next_step=_next_step(details, now()),
            hold=_hold(details, now()),
            pay_url=_pay_url(found[0][0]) if found and ApiScope.WRITE in holder().scopes else None,
        )


def _is_open() -> ColumnElement[bool]:
    """The cases whose customer still owes something."""
    is_owed = Invoice.status.in_(("open",)) & (Invoice.amount_remaining > 0)
    return or_(RecoveryCase.state.in_(OPEN_CASE_STATES), (RecoveryCase.state == CaseState.EXHAUSTED) & is_owed)


def _status(states: list[CaseState]) -> str:
    if CaseState.NEEDS_CUSTOMER in states:
        return "needs_customer"
    if any(state in OPEN_CASE_STATES for state in states):
        return "recovering"
    return "lost" if states else "ok"


def _next_step(details: list[CaseDetail], at: datetime) -> StepShape | None:
    coming = [step for detail in details if (step := detail.next_step(at))]
    first = min(coming, key=lambda step: step.due_at, default=None)
    return StepShape.read(first) if first else None


def _hold(details: list[CaseDetail], at: datetime) -> HoldShape | None:
    holds = [hold for detail in details if (hold := detail.hold_at(at))]
    last = max(holds, key=lambda hold: (hold.until is None, hold.until or at), default=None)
    return HoldShape.read(last) if last else None


def _pay_url(case: RecoveryCase) -> str:
    """The customer's page, which lists all that they owe whichever case it is asked for."""
    settings = context().settings
    link = PayLink(case.organization_id, case.id, case.link_version)
    return make_pay_url(settings.base_url(), settings.require("secret_key"), link, now())
