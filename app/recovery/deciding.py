"""The planner asked about a case, its answer written down whole: on the timeline in a sentence, in a row for replay.

Called inside the transaction that recorded the facts, with the case locked. Refuses to carry anything out.
"""

from dataclasses import asdict, replace
from datetime import datetime
from json import dumps
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.db import get_row, prepared
from app.models import Connection, RecoveryCase, RetryDecision
from app.recovery import cases, knowing, stories
from app.recovery.campaigns import definition_of
from app.recovery.facts import gather, policy_for
from app.retries.customers import paydays_of
from app.retries.decisions import AskCustomer, Decision, GiveUp, Hold, LeaveToStripe, RetryAt
from app.retries.explain import explain
from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.following import Considered
from app.retries.knowledge import Knowledge
from app.retries.planner import consider
from app.retries.planning import last_news
from app.retries.records import RECORD_VERSION
from app.retries.release import planner_release
from app.vocabulary import EntryKind

NAMES = {
    RetryAt: "retry_planned",
    AskCustomer: "customer_asked",
    GiveUp: "given_up",
    Hold: "held_back",
    LeaveToStripe: "left_to_stripe",
}


def decide_now(session: Session, case: RecoveryCase, now: datetime) -> Decision:
    """The planner's answer for the case as its rows stand, written down when it is a new one."""
    last = newest_decision(session, case.id)
    facts, policy, knowledge = _question(session, case, last, now)
    considered = consider(facts, policy, now, knowledge)
    mark = _mark(considered.decision, facts, now)
    if last is None or last.mark != mark:
        summary = explain(considered.decision, facts, policy, now, knowledge)
        row = _row(case, considered, facts, policy, knowledge, now)
        row.mark, row.summary = mark, summary
        _write(session, case, row, now)
    return considered.decision


def decide_without_hold(session: Session, case: RecoveryCase, now: datetime) -> Decision:
    """What the answer would be if no hold stood; not written down, because it is not the answer."""
    facts, policy, knowledge = _question(session, case, newest_decision(session, case.id), now)
    return consider(replace(facts, hold_until=None, hold_reason=None), policy, now, knowledge).decision


def write_asked(session: Session, case: RecoveryCase, decision: RetryAt, by: str, now: datetime) -> None:
    """Write down a try that a person asked for: it has inputs like any other, but only that person could replay it."""
    facts, policy, knowledge = _question(session, case, newest_decision(session, case.id), now)
    row = _row(case, Considered(decision), facts, policy, knowledge, now)
    row.asked_by, row.mark = by, f"asked:{now.isoformat()}"
    row.summary = f"The card is tried now, asked for by {by}."
    _write(session, case, row, now)


def newest_decision(session: Session, case_id: UUID) -> RetryDecision | None:
    """The last answer that was written down about a case."""
    newest: RetryDecision | None = session.scalar(*_newest_decision(case_id))
    return newest


@prepared
def _newest_decision(case_id: UUID) -> Select[RetryDecision]:
    query = select(RetryDecision).where(RetryDecision.case_id == case_id)
    return query.order_by(RetryDecision.id.desc()).limit(1)


def _question(
    session: Session, case: RecoveryCase, last: RetryDecision | None, now: datetime
) -> tuple[CaseFacts, RetryPolicy, Knowledge]:
    definition = definition_of(session, case.campaign_version_id)
    policy = policy_for(get_row(session, Connection, case.connection_id), definition, case.currency)
    facts = gather(session, case, now)
    knowledge = knowing.for_case(session, facts, last)
    if policy.timing == "planned" and policy.mode == "drive":
        earlier = stories.earlier_stories(session, case)
        facts = replace(facts, known_paydays=paydays_of(earlier, knowledge) if earlier else ())
    return facts, policy, knowledge


def _mark(decision: Decision, facts: CaseFacts, now: datetime) -> str:
    """What makes an answer a new one; that a try is due now is one answer, however often it is asked for."""
    moment = getattr(decision, "at", None) or getattr(decision, "until", None)
    is_late = isinstance(decision, LeaveToStripe) and (facts.stripe_next_attempt_at or now) <= now
    when = "" if moment is None else "now" if moment <= now or is_late else moment.isoformat()
    news = f"{len(facts.attempts)}:{last_news(facts).isoformat()}"
    return f"{NAMES[type(decision)]}:{decision.reason}:{when}:{news}"


def _row(
    case: RecoveryCase, considered: Considered, facts: CaseFacts, policy: RetryPolicy, knowledge: Knowledge,
    now: datetime,
) -> RetryDecision:  # fmt: skip
    decision, record = considered.decision, considered.record
    choice = record.candidates[record.choice] if record else None
    return RetryDecision(
        organization_id=case.organization_id,
        case_id=case.id,
        decided_at=now,
        news_at=last_news(facts),
        kind=NAMES[type(decision)],
        reason=str(decision.reason),
        at=getattr(decision, "at", None) or getattr(decision, "until", None),
        rules=list(getattr(decision, "rules", ())),
        knowledge=knowledge.version,
        propensity=choice.probability if choice else None,
        chance=choice.chance if choice else None,
        record=record.to_json() if record else _inputs(facts, policy, knowledge, now),
    )


def _inputs(facts: CaseFacts, policy: RetryPolicy, knowledge: Knowledge, now: datetime) -> str:
    """What an answer without a plan was made from, in the form that `read_record` reads."""
    content = {"version": RECORD_VERSION, "planner": planner_release(), "knowledge": knowledge.version,
               "now": now.isoformat(), "facts": asdict(facts), "policy": asdict(policy)}  # fmt: skip
    return dumps(content, sort_keys=True, default=datetime.isoformat)


def _write(session: Session, case: RecoveryCase, row: RetryDecision, now: datetime) -> None:
    session.add(row)
    session.flush()
    data = {"reason": row.reason, "rules": row.rules, "decision": row.id}
    cases.append(session, case, EntryKind.DECISION, row.kind, f"decision:{row.id}", now, now, row.summary, data)
