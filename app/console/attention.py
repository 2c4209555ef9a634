"""What a person should look at: parked events, broken connections, conflicts, mails that came back. Counts only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from app.accounts import conflicts
from app.inbox.errands import looking
from app.messages.wording import bad_texts
from app.models import ChargeAttempt, Connection, InboxEvent, Message, RecoveryCase, Step
from app.outcomes.refusals import cases_refused
from app.recovery import questions
from app.vocabulary import (
    OPEN_CASE_STATES,
    OPEN_STEP_STATES,
    AttemptState,
    CaseState,
    ConnectionStatus,
    InboxState,
    MessageState,
)

MAILS_WITHIN = timedelta(days=7)
REFUSED_WITHIN = timedelta(days=14)
ANSWER_OVERDUE = timedelta(hours=1)
SHOWN_QUESTIONS = 10


@dataclass(frozen=True)
class Concern:
    """One thing to look at, what to do about it, and where."""

    title: str
    advice: str
    address: str


def find_concerns(session: Session, now: datetime) -> list[Concern]:
    """Everything that waits for a person, most urgent first; empty when all is well."""
    return [
        *_connections(session),
        *_cases(session, now),
        *_refused(session, now),
        *_questions(session),
        *_inbox(session),
        *_mails(session, now),
    ]


def _questions(session: Session) -> list[Concern]:
    waiting = questions.open_questions(session)
    advice = "The customer says that something is wrong; tries and mails rest until somebody answers or lets go."
    which = [f" ({number} of {len(waiting)})" if len(waiting) > 1 else "" for number in range(1, len(waiting) + 1)]
    return [
        Concern(f"A customer is waiting for an answer{one}", advice, _case_page(case_id))
        for one, case_id in zip(which, waiting[:SHOWN_QUESTIONS], strict=False)
    ]


def _case_page(case_id: UUID) -> str:
    return url_for("console.case", case_id=case_id)


def _connections(session: Session) -> list[Concern]:
    page = url_for("console.connections")
    broken = _count(session, select(Connection.id).where(Connection.status == ConnectionStatus.BROKEN))
    concerns = []
    for finding in looking.endpoint_trouble(session).values():
        place = url_for("console.reconcile", connection_id=finding.connection_id)
        concerns.append(Concern(finding.why, finding.outcome or "", place))
    if broken:
        advice = (
            "Stripe refuses the key, or it lacks a permission: what needs it waits, and so do mails. Put it right in"
            " Stripe, which is noticed within the hour, or connect the account with another key."
        )
        concerns.append(Concern(f"{_many(broken, 'connection')} broken", advice, page))
    for connection in session.scalars(select(Connection).order_by(Connection.created_at)):
        name = connection.account_name or connection.account_id
        for one in conflicts.standing(session, connection):
            concerns.append(Concern(f"{one.title} ({name})", f"{one.detail} {one.advice}", f"{page}#c-{connection.id}"))
    return concerns


def _cases(session: Session, now: datetime) -> list[Concern]:
    has_plan = exists().where(Step.case_id == RecoveryCase.id, Step.state.in_(OPEN_STEP_STATES))
    is_charging = exists().where(
        ChargeAttempt.case_id == RecoveryCase.id,
        ChargeAttempt.state.in_((AttemptState.CHARGING, AttemptState.UNKNOWN)),
    )
    idle = _count(
        session, select(RecoveryCase.id).where(RecoveryCase.state.in_(OPEN_CASE_STATES), ~has_plan, ~is_charging)
    )
    unanswered = _count(
        session,
        select(ChargeAttempt.id).where(
            ChargeAttempt.state == AttemptState.UNKNOWN, ChargeAttempt.started_at < now - ANSWER_OVERDUE
        ),
    )
    page = url_for("console.cases", sort="next_step")
    concerns = []
    if idle:
        advice = "An open case always has something planned. Run recoup verify to see what is missing."
        concerns.append(Concern(f"{_many(idle, 'open case')} without a next step", advice, page))
    if unanswered:
        advice = (
            "Stripe's answer to a charge never came. Recoup keeps asking; nothing is charged again until it is known."
        )
        charging = url_for("console.cases", state=CaseState.CHARGING)
        concerns.append(Concern(f"{_many(unanswered, 'charge')} without an answer", advice, charging))
    return concerns


def _refused(session: Session, now: datetime) -> list[Concern]:
    """Each was announced to its customer, so a person has to decide what becomes of the subscription."""
    found = cases_refused(session, now - REFUSED_WITHIN)
    if not found:
        return []
    advice = "Stripe's reason is on the timeline; often a price of the campaign does not exist. Nothing was taken."
    page = _case_page(found[0]) if len(found) == 1 else url_for("console.cases", state="exhausted")
    return [Concern(f"{_many(len(found), 'final action')} refused by Stripe", advice, page)]


def _inbox(session: Session) -> list[Concern]:
    parked = _count(session, select(InboxEvent.id).where(InboxEvent.state == InboxState.PARKED))
    if not parked:
        return []
    advice = "These webhooks failed several times and were set aside. Read the reason, then replay them."
    return [Concern(f"{_many(parked, 'event')} parked", advice, url_for("console.events", state="parked"))]


def _mails(session: Session, now: datetime) -> list[Concern]:
    recent = Message.planned_at > now - MAILS_WITHIN
    bounced = _count(session, select(Message.id).where(Message.state == MessageState.BOUNCED, recent))
    failed = _count(session, select(Message.id).where(Message.state == MessageState.FAILED, recent))
    concerns = []
    if failed:
        advice = "The mail service refused these. Check its settings and the sender's address."
        concerns.append(Concern(f"{_many(failed, 'mail')} refused this week", advice, _outbox("failed")))
    stale = bad_texts(session)
    if stale:
        advice = "Ours are said in their place, so that no mail is wrong or late. Mend them, or reset them to ours."
        concerns.append(
            Concern(f"{_many(len(stale), 'mail text')} of yours not said", advice, url_for("console.mails"))
        )
    if bounced:
        advice = "These customers cannot be reached by mail. Find another way to write to them."
        concerns.append(Concern(f"{_many(bounced, 'mail')} bounced this week", advice, _outbox("bounced")))
    return concerns


def _outbox(state: str) -> str:
    return url_for("console.outbox", state=state)


def _count(session: Session, query: Select[*tuple[Any, ...]]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
