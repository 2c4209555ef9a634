"""The one writer of a case's state: locks the row, appends the timeline, moves by the table of `states`.

Nothing else in the program assigns `RecoveryCase.state`. A fact has a key; the same key again changes nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.campaigns.definition import window_end
from app.db import prepared, table_of
from app.models import CampaignVersion, CaseEntry, Customer, Invoice, RecoveryCase, Subscription
from app.recovery.campaigns import read_definition
from app.recovery.states import moves, next_state
from app.vocabulary import CaseOrigin, CaseState, EntryKind, Fact, RecoveredBy, StopReason

_OPENED = {
    CaseOrigin.FAILURE: "The payment failed; a case was opened.",
    CaseOrigin.OLD_DEBT: "A debt that is older than what Recoup knows of it; its campaign begins today.",
}


_LINES = table_of(CaseEntry)
_APPEND = insert(_LINES).on_conflict_do_nothing(index_elements=["case_id", "key"]).returning(_LINES.c.id)


@dataclass(frozen=True)
class Happened:
    """A fact about a case: what, when (aware UTC), its key for life, and a plain sentence for people."""

    fact: Fact
    key: str
    at: datetime
    summary: str
    data: dict[str, Any] = field(default_factory=dict)


def lock_case(session: Session, case_id: UUID) -> RecoveryCase:
    """The case as it stands, locked until the transaction ends. Every change begins here."""
    case: RecoveryCase = session.scalars(*_locked(case_id)).one()
    return case


@prepared
def _locked(case_id: UUID) -> Select[RecoveryCase]:
    found = select(RecoveryCase).where(RecoveryCase.id == case_id)
    return found.with_for_update(key_share=True).execution_options(populate_existing=True)


def find_case_of_invoice(session: Session, invoice_id: UUID) -> RecoveryCase | None:
    """The locked case of a projected invoice, if one was opened."""
    return session.scalars(*_locked_by_invoice(invoice_id)).one_or_none()


@prepared
def _locked_by_invoice(invoice_id: UUID) -> Select[RecoveryCase]:
    found = select(RecoveryCase).where(RecoveryCase.invoice_id == invoice_id)
    return found.with_for_update(key_share=True).execution_options(populate_existing=True)


def open_case(
    session: Session,
    *,
    invoice: Invoice,
    customer: Customer,
    subscription: Subscription | None,
    version: CampaignVersion,
    failed_at: datetime,
    now: datetime,
    origin: CaseOrigin = CaseOrigin.FAILURE,
    billed_name: str | None = None,
    because: str = "",
) -> RecoveryCase:
    """Begin a case for an invoice whose payment failed. The caller holds the invoice row's lock.

    `billed_name` is what the invoice is for, which later changes of the plan do not change. `because` says
    why this version covers it. An old debt begins as of `now`: its `failed_at` is the day it was asked for
    (docs/metrics.md).
    """
    definition = read_definition(version)
    ends = window_end(definition, failed_at)
    case = RecoveryCase(
        organization_id=invoice.organization_id,
        connection_id=invoice.connection_id,
        invoice_id=invoice.id,
        customer_id=customer.id,
        subscription_id=subscription.id if subscription else None,
        campaign_version_id=version.id,
        origin=origin,
        state=CaseState.WAITING,
        why="The payment failed.",
        amount_due=max(invoice.amount_remaining, 0) or invoice.amount_due,
        paid_before=invoice.amount_paid if invoice.status == "open" else 0,
        currency=invoice.currency,
        billed_name=billed_name,
        failed_at=failed_at,
        opened_at=now,
        window_ends_at=ends,
        grace_until=ends + timedelta(days=definition.grace_days),
    )
    session.add(case)
    session.flush()
    append(session, case, EntryKind.FACT, "opened", "opened", failed_at, now, f"{_OPENED[origin]} {because}".strip())
    return case


def received(case: RecoveryCase, amount_paid: int) -> int:
    """Of what is paid on the invoice in all, what came since its case began; in the case's minor units."""
    return max(amount_paid - case.paid_before, 0)


def record(session: Session, case: RecoveryCase, happened: Happened, now: datetime) -> bool:
    """Write a fact and move the case by it; False if the fact's key is on the timeline already. The row is locked."""
    before = case.state
    after = next_state(before, happened.fact)
    written = append(
        session,
        case,
        EntryKind.FACT,
        happened.fact,
        happened.key,
        happened.at,
        now,
        happened.summary,
        happened.data,
        (before, after),
    )
    if written and moves(before, happened.fact):
        case.state = after
        case.why = happened.summary
        _stamp(case, happened)
        session.flush()
    return written


def append(
    session: Session,
    case: RecoveryCase,
    kind: EntryKind,
    name: str,
    key: str,
    at: datetime,
    now: datetime,
    summary: str,
    data: dict[str, Any] | None = None,
    states: tuple[CaseState, CaseState] | None = None,
) -> bool:
    """Add a line to the timeline; False if its key is there already (the first one stands)."""
    line = {
        "organization_id": case.organization_id,
        "case_id": case.id,
        "kind": kind,
        "name": name,
        "key": key,
        "happened_at": at,
        "recorded_at": now,
        "from_state": states[0] if states else None,
        "to_state": states[1] if states else None,
        "summary": summary,
        "data": data or {},
    }
    return session.scalar(_APPEND, line) is not None


def _stamp(case: RecoveryCase, happened: Happened) -> None:
    """The moments and causes that belong to the state just entered (the database checks that they are there)."""
    if happened.fact is Fact.PAID:
        case.recovered_at = happened.at
        case.recovered_amount = happened.data["amount"]
        case.recovered_by = RecoveredBy(happened.data["cause"])
    elif happened.fact is Fact.STOPPED:
        case.closed_at = happened.at
        case.stop_reason = StopReason(happened.data["reason"])
    elif happened.fact is Fact.OUT_OF_ROAD:
        case.exhausted_at = happened.at
    elif happened.fact is Fact.NEW_CARD:
        case.new_card_at = max(happened.at, case.new_card_at or happened.at)
        case.new_card_id = happened.data["card"]
        case.new_card_by = happened.data["by"]
    elif happened.fact in (Fact.DECLINED, Fact.DEAD_CARD):
        case.decline_class = happened.data.get("decline_class") or case.decline_class
        case.customer_reason = happened.data.get("customer_reason") or case.customer_reason
