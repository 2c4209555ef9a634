"""What came of a rehearsal, read out of its room as plain values before the room is dropped. Computes nothing."""

from collections import defaultdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    ChargeAttempt,
    Customer,
    InboxEvent,
    Message,
    RecoveryCase,
    Step,
    Subscription,
    SubscriptionSnapshot,
)
from app.recovery.invariants import find_offences
from app.rehearsal.stage import Stage
from app.sandbox.people.mailroom import tally
from app.vocabulary import InboxState, StepState

Plain = dict[str, Any]


def gather(stage: Stage) -> Plain:
    """Cases with tries and mails, a rendered mail for each step and language, what readers did, what went wrong."""
    with stage.context.database.system() as session:
        return {
            "cases": _cases(session),
            "letters": _letters(session),
            "readers": tally(stage.world.store),
            "troubles": _troubles(session, stage),
        }


def _cases(session: Session) -> list[Plain]:
    rows = session.execute(
        select(RecoveryCase, Customer, Subscription)
        .join(Customer, Customer.id == RecoveryCase.customer_id)
        .outerjoin(Subscription, Subscription.id == RecoveryCase.subscription_id)
        .order_by(RecoveryCase.failed_at, RecoveryCase.id)
    ).all()
    parts = {name: _by_case(found) for name, found in _parts(session).items()}
    seen: set[UUID] = set()
    cases = []
    for case, customer, subscription in rows:
        own = {name: by_case[case.id] for name, by_case in parts.items()}
        cases.append(_case(case, customer, subscription) | own | {"is_first": customer.id not in seen})
        seen.add(customer.id)
    return cases


def _case(case: RecoveryCase, customer: Customer, subscription: Subscription | None) -> Plain:
    return {
        "customer": str(customer.id),
        "country": customer.country,
        "timezone": customer.timezone or "UTC",
        "locale": str(next(iter(customer.locales), "")),
        "plan": subscription.plan_name if subscription else None,
        "interval": subscription.interval if subscription else None,
        "currency": case.currency,
        "amount": case.amount_due,
        "decline_class": case.decline_class or "unknown",
        "state": case.state.value,
        "failed_at": case.failed_at.isoformat(),
        "window_ends_at": case.window_ends_at.isoformat(),
        "recovered_at": _iso(case.recovered_at),
        "recovered_amount": case.recovered_amount,
        "recovered_by": case.recovered_by.value if case.recovered_by else None,
        "stop_reason": case.stop_reason.value if case.stop_reason else None,
    }


def _parts(session: Session) -> dict[str, list[tuple[UUID, Plain]]]:
    return {
        "tries": [(row.case_id, _try(row)) for row in session.scalars(_ordered(ChargeAttempt, "started_at"))],
        "mails": [(row.case_id, _mail(row)) for row in session.scalars(_ordered(Message, "planned_at")) if row.case_id],
        "endings": [
            (row.case_id, {"action": row.action.value, "state": row.state.value, "at": row.taken_at.isoformat()})
            for row in session.scalars(_ordered(SubscriptionSnapshot, "taken_at"))
        ],
        "steps": [
            (row.case_id, {"key": row.key, "kind": row.kind.value, "state": row.state.value, "problem": row.problem})
            for row in session.scalars(_ordered(Step, "due_at"))
        ],
    }


def _ordered(record: type[Any], moment: str) -> Any:
    return select(record).order_by(getattr(record, moment), record.id)


def _try(row: ChargeAttempt) -> Plain:
    return {
        "at": row.started_at.isoformat(),
        "source": row.source.value,
        "state": row.state.value,
        "code": row.signals.get("decline_code") or row.signals.get("code"),
        "is_counted": row.reached_network,
        "card": row.fingerprint,
        "brand": row.brand,
        "amount": row.amount,
    }


def _mail(row: Message) -> Plain:
    return {
        "key": row.key,
        "kind": row.kind,
        "state": row.state.value,
        "reason": row.reason,
        "locale": row.locale,
        "at": _iso(row.accepted_at),
    }


def _by_case(found: list[tuple[UUID, Plain]]) -> defaultdict[UUID, list[Plain]]:
    sorted_out: defaultdict[UUID, list[Plain]] = defaultdict(list)
    for case_id, plain in found:
        sorted_out[case_id].append(plain)
    return sorted_out


def _letters(session: Session) -> list[Plain]:
    """The first mail that left for each step, kind and language."""
    query = (
        select(Message)
        .where(Message.accepted_at.is_not(None))
        .distinct(Message.key, Message.kind, Message.locale)
        .order_by(Message.key, Message.kind, Message.locale, Message.accepted_at)
    )
    return [
        {
            "key": row.key,
            "kind": row.kind,
            "locale": row.locale,
            "subject": row.subject,
            "text": row.text_body,
            "html": row.html_body,
        }
        for row in session.scalars(query)
    ]


def _troubles(session: Session, stage: Stage) -> list[str]:
    """Promises that were broken, events that could not be handled and steps that failed, as sentences."""
    broken = [f"{one.invariant}: {one.detail}" for one in find_offences(session, stage.clock.now())]
    parked = select(InboxEvent.type, InboxEvent.problem).where(InboxEvent.state == InboxState.PARKED)
    events = [f"{kind} could not be handled: {problem}" for kind, problem in session.execute(parked)]
    failed = select(Step.key, Step.problem).where(Step.state == StepState.FAILED)
    steps = [f"{key} failed: {problem}" for key, problem in session.execute(failed)]
    return sorted({*broken, *events, *steps})


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
