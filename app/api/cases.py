"""Cases, as a list that is read page by page and one in full."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Select, select, tuple_

from app.api.blueprint import now, rows
from app.api.operations import operation
from app.api.problems import FieldProblem, Refused
from app.api.shapes import (
    AttemptShape,
    CampaignShape,
    CaseBrief,
    CaseFull,
    CaseList,
    EntryShape,
    FinalActionShape,
    HoldShape,
    MessageShape,
    StepShape,
)
from app.models import Customer, Invoice, RecoveryCase, Subscription
from app.recovery import queries
from app.recovery.queries import CaseDetail, CaseNotFound
from app.recovery.weighing import Weighing, find_weighing
from app.vocabulary import CaseState

Found = Select[RecoveryCase, str, str, str | None]


class CaseQuery(BaseModel):
    """Which cases."""

    model_config = ConfigDict(extra="forbid")

    state: tuple[CaseState, ...] = Field((), description="Only cases in these states; may be given several times.")
    customer: str | None = Field(None, description="Only this customer's, by their id at Stripe.", max_length=255)
    subscription: str | None = Field(None, description="Only this subscription's, by its id.", max_length=255)
    invoice: str | None = Field(None, description="Only this invoice's, by its id.", max_length=255)
    limit: int = Field(25, ge=1, le=100, description="How many on a page.")
    cursor: str | None = Field(None, description="`next_cursor` of the page before.", max_length=200)


@operation("/cases", asks=CaseQuery, answers=CaseList)
def list_cases(asked: CaseQuery) -> CaseList:
    """Cases, newest failure first.

    Pages are chained by a cursor: cases that begin while you read never shift what is on the later pages.
    """
    query = _matching(asked).order_by(RecoveryCase.failed_at.desc(), RecoveryCase.id.desc()).limit(asked.limit + 1)
    with rows() as session:
        found = session.execute(query).all()
    page = [CaseBrief.of(*row) for row in found[: asked.limit]]
    last = found[asked.limit - 1][0] if len(found) > asked.limit else None
    return CaseList(cases=page, next_cursor=_cursor(last) if last else None)


@operation("/cases/<uuid:case_id>", answers=CaseFull, may_fail=(404,))
def get_case(case_id: UUID) -> CaseFull:
    """One case with its timeline, what comes next and why, and what the planner weighed."""
    with rows() as session:
        try:
            detail = queries.get_case(session, case_id)
        except CaseNotFound:
            raise Refused(404, "This organization has no such case.") from None
        return _full(detail, find_weighing(session, detail.case), now())


def with_names() -> Found:
    """Cases with what Stripe calls their customer, invoice and subscription, as `CaseBrief.of` takes them."""
    return (
        select(RecoveryCase, Customer.stripe_id, Invoice.stripe_id, Subscription.stripe_id)
        .join(Customer, Customer.id == RecoveryCase.customer_id)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .outerjoin(Subscription, Subscription.id == RecoveryCase.subscription_id)
    )


def _matching(asked: CaseQuery) -> Found:
    query = with_names()
    if asked.state:
        query = query.where(RecoveryCase.state.in_(asked.state))
    for column, value in (
        (Customer.stripe_id, asked.customer),
        (Subscription.stripe_id, asked.subscription),
        (Invoice.stripe_id, asked.invoice),
    ):
        if value is not None:
            query = query.where(column == value)
    if asked.cursor is not None:
        query = query.where(tuple_(RecoveryCase.failed_at, RecoveryCase.id) < tuple_(*_read_cursor(asked.cursor)))
    return query


def _cursor(case: RecoveryCase) -> str:
    return urlsafe_b64encode(f"{case.failed_at.isoformat()} {case.id.hex}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        moment, _, case_id = text.rpartition(" ")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("a moment without a zone")
        return at, UUID(case_id)
    except (ValueError, binascii.Error):
        wrong = FieldProblem(where="cursor", what="not a cursor of ours")
        raise Refused(400, "Take `next_cursor` from the page before as it is, or begin without one.", [wrong]) from None


def _full(detail: CaseDetail, weighed: Weighing | None, at: datetime) -> CaseFull:
    subscription = detail.subscription.stripe_id if detail.subscription else None
    brief = CaseBrief.of(detail.case, detail.customer.stripe_id, detail.invoice.stripe_id, subscription)
    coming, hold = detail.next_step(at), detail.hold_at(at)
    return CaseFull(
        **dict(brief),
        campaign=CampaignShape(
            slug=detail.campaign.slug, name=detail.campaign.name, version=detail.campaign_version.number
        ),
        next_step=StepShape.read(coming) if coming else None,
        hold=HoldShape.read(hold) if hold else None,
        plan=weighed,
        final_action=FinalActionShape.read(detail.snapshot) if detail.snapshot else None,
        **_history(detail),
    )


def _history(detail: CaseDetail) -> dict[str, Any]:
    return {
        "steps": [StepShape.read(step) for step in detail.steps],
        "attempts": [AttemptShape.of(attempt) for attempt in detail.attempts],
        "messages": [MessageShape.read(message) for message in detail.messages],
        "holds": [HoldShape.read(hold) for hold in detail.holds],
        "timeline": [EntryShape.read(entry) for entry in detail.entries],
    }
