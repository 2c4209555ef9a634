"""Switching who retries on a connection, in the middle of whatever its cases are doing.

The switch and one step for each open case are one transaction, so either all of it is on the calendar or nothing is.
Workers carry it to the cases; whoever dies on the way is replaced like at any other step.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import DateTime, Float, Interval, cast, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from app.accounts import conflicts
from app.bell import Urgency
from app.context import Context
from app.db import after_commit
from app.errors import RecoupError
from app.models import AuditEntry, Connection, Invoice, RecoveryCase, Step
from app.recovery.operator import Person
from app.vocabulary import (
    OPEN_CASE_STATES,
    CaseState,
    ConflictKind,
    ConnectionMode,
    Enforcement,
    StepKind,
    StepState,
)

AT_ONCE = 20  # cases that are told at the same moment; the others follow at a pace that Stripe bears
APART = timedelta(milliseconds=200)


class NoSuchConnection(RecoupError):
    """The organization has no connection of this id."""


@dataclass(frozen=True)
class Switched:
    """What a switch came to: whether anything was changed, and how many open cases are told of it."""

    is_changed: bool
    cases: int


def preview(session: Session, connection_id: UUID) -> Counter[CaseState]:
    """How many cases of a connection a switch would concern, by where their money is."""
    rows = session.execute(
        select(RecoveryCase.state, func.count())
        .where(RecoveryCase.connection_id == connection_id, RecoveryCase.state.in_(OPEN_CASE_STATES))
        .group_by(RecoveryCase.state)
    ).all()
    return Counter({row[0]: row[1] for row in rows})


def switch(
    context: Context,
    organization_id: UUID,
    connection_id: UUID,
    by: Person,
    *,
    mode: ConnectionMode | None = None,
    enforcement: Enforcement | None = None,
) -> Switched:
    """Set who retries, and how firmly; what is None stays. Raises `NoSuchConnection`."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        # waits for whoever opens a case this moment, and makes others wait (their foreign key locks this row, too)
        connection = session.get(Connection, connection_id, with_for_update=True, populate_existing=True)
        if connection is None:
            raise NoSuchConnection(f"there is no connection {connection_id}")
        wanted = mode or connection.mode, enforcement or connection.enforcement
        if wanted == (connection.mode, connection.enforcement):
            return Switched(is_changed=False, cases=0)
        before = {"mode": connection.mode, "enforcement": connection.enforcement}
        connection.mode, connection.enforcement = wanted
        connection.switches += 1
        session.flush()
        told = _tell_cases(session, connection, by, now)
        _settle(session, connection, by, now)
        session.add(
            AuditEntry(
                organization_id=organization_id,
                actor=by.name,
                user_id=by.user_id,
                action="connection.switched",
                subject=str(connection_id),
                happened_at=now,
                data={"before": before, "mode": wanted[0], "enforcement": wanted[1], "cases": told},
            )
        )
        after_commit(session, lambda: context.bell.ring("sweep", urgency=Urgency.NOW))
    return Switched(is_changed=True, cases=told)


def _tell_cases(session: Session, connection: Connection, by: Person, now: datetime) -> int:
    """A step for each open case, those first whose next try at Stripe comes first."""
    place = func.row_number().over(order_by=Invoice.next_payment_attempt.asc().nulls_last())
    seconds = cast(func.greatest(place - AT_ONCE, 0), Float) * APART.total_seconds()
    due_at = literal(now, DateTime(timezone=True)) + func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=Interval())
    plan = literal({"mode": connection.mode.value, "by": by.name}, JSONB)
    chosen = (
        select(
            func.gen_random_uuid(),
            RecoveryCase.organization_id,
            RecoveryCase.id,
            literal(StepKind.SWITCH.value),
            literal(f"switch:{connection.switches}"),
            due_at,
            literal(StepState.PLANNED.value),
            literal("The connection was switched."),
            plan,
            literal(0),
        )
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .where(RecoveryCase.connection_id == connection.id, RecoveryCase.state.in_(OPEN_CASE_STATES))
    )
    columns = ["id", "organization_id", "case_id", "kind", "key", "due_at", "state", "why", "plan", "claims"]
    return len(session.scalars(insert(Step).from_select(columns, chosen).returning(Step.id)).all())


def _settle(session: Session, connection: Connection, by: Person, now: datetime) -> None:
    """What the other mode alone can suffer from is over; what remains is found again by the readings that follow."""
    if connection.mode is ConnectionMode.DRIVE:
        over = [ConflictKind.NOBODY_RETRIES]
        if connection.enforcement is Enforcement.ENFORCE:
            over.append(ConflictKind.STRIPE_ENDS_FIRST)  # an invoice that Stripe does not retry has no last try
    else:
        over = [ConflictKind.STRIPE_PLANS_TRY, ConflictKind.STRIPE_TRIED]
    conflicts.settle_everywhere(session, connection.id, over, now, f"{by.name} switched the connection")
