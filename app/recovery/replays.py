"""Decisions made again from their rows: the promise that whatever was charged can be accounted for, kept by checking.

Refuses to judge whether a decision was good; only whether the same inputs still give it.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import ChargeAttempt, RetryDecision, RetryKnowledge
from app.recovery.deciding import NAMES
from app.recovery.invariants import Offence
from app.retries.knowledge import SHIPPED, Knowledge, read_knowledge
from app.retries.planner import consider
from app.retries.records import RECORD_VERSION, UnreadableRecord, read_record
from app.retries.release import planner_release
from app.vocabulary import AttemptSource

SAMPLE = 200
REPLAYS = "decisions_replay"
PROMISE = "Each try of Recoup has a decision that is made again, bit for bit, from what was written down."


def replay(row: RetryDecision, knowledge: Knowledge) -> str | None:
    """What is different when the decision is made again with `knowledge`; None when nothing is.

    None as well for what cannot be compared: a try that a person asked for, a decision of another release's planner.
    """
    try:
        facts, policy, now, content = read_record(row.record)
    except UnreadableRecord as problem:
        return str(problem)
    made_by = (content["version"], content.get("planner"), content["knowledge"])
    if row.asked_by or made_by != (RECORD_VERSION, planner_release(), knowledge.version):
        return None
    again = consider(facts, policy, now, knowledge)
    decision = again.decision
    at: datetime | None = getattr(decision, "at", None) or getattr(decision, "until", None)
    now_said = (NAMES[type(decision)], str(decision.reason), at, list(getattr(decision, "rules", ())))
    if now_said != (row.kind, row.reason, row.at, row.rules):
        return f"decision {row.id} was {row.kind} ({row.reason}) and is now {now_said[0]} ({now_said[1]})"
    if again.record and again.record.to_json() != row.record:
        return f"decision {row.id} is the same, but weighed differently"
    return None


def find_unfaithful(session: Session, sample: int = SAMPLE) -> Iterator[Offence]:
    """The newest decisions behind tries of ours that come out differently now; needs the system session."""
    behind = select(ChargeAttempt.decision["row"].as_integer()).where(ChargeAttempt.source == AttemptSource.RECOUP)
    query = select(RetryDecision).where(RetryDecision.id.in_(behind)).order_by(RetryDecision.id.desc()).limit(sample)
    for row in session.scalars(query):
        difference = replay(row, _knowledge_of(session, row))
        if difference:
            yield Offence(REPLAYS, str(row.case_id), difference)


def _knowledge_of(session: Session, row: RetryDecision) -> Knowledge:
    query = select(RetryKnowledge.content).where(
        RetryKnowledge.organization_id == row.organization_id, RetryKnowledge.version == row.knowledge
    )
    content = session.scalar(query.limit(1))
    return read_knowledge(content) if content else SHIPPED
