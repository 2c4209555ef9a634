"""A draft of retry settings judged by what was decided and what came of it, before anybody uses it.

Only tries that were drawn with a known probability are evidence. With too few of them there is no answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import ChargeAttempt, RecoveryCase, RetryDecision
from app.recovery import knowing
from app.retries.facts import RetryPolicy
from app.retries.records import RECORD_VERSION, read_record
from app.retries.replaying import Rehearsal, Tried, rehearse
from app.vocabulary import AttemptSource, AttemptState, CaseOrigin

_ANSWERED = (AttemptState.SUCCEEDED, AttemptState.DECLINED)


@dataclass(frozen=True)
class Judgement:
    """What a draft would have come to: cases looked at, those in which tries were drawn, and the estimate."""

    cases: int
    with_tries: int
    recovered: int
    rehearsal: Rehearsal


def judge(session: Session, draft: RetryPolicy, since: datetime) -> Judgement:
    """Run `draft` over every planned try of the cases that failed from `since` on. Raises `TooLittleData`."""
    tried = dict(_tried(session, since))
    cases = list(tried.values())
    recovered = sum(any(each.approved for each in case) for case in cases)
    rehearsal = rehearse(cases, draft, knowing.newest(session))
    return Judgement(len(cases), sum(bool(case) for case in cases), recovered, rehearsal)


def _tried(session: Session, since: datetime) -> Iterator[tuple[UUID, Sequence[Tried]]]:
    """For each case that was planned, its drawn tries in order; none where the money came without one."""
    query = select(RetryDecision).join(RecoveryCase, RecoveryCase.id == RetryDecision.case_id).where(
        RecoveryCase.failed_at >= since, RecoveryCase.origin == CaseOrigin.FAILURE,
        RetryDecision.propensity.is_not(None),
    )  # fmt: skip
    decisions = {row.id: row for row in session.scalars(query)}
    found: dict[UUID, list[Tried]] = {row.case_id: [] for row in decisions.values()}
    attempts = select(ChargeAttempt).where(
        ChargeAttempt.source == AttemptSource.RECOUP,
        ChargeAttempt.state.in_(_ANSWERED),
        ChargeAttempt.started_at >= since,
    )
    for attempt in session.scalars(attempts.order_by(ChargeAttempt.started_at, ChargeAttempt.id)):
        decision = decisions.get(attempt.decision.get("row") or 0)
        if decision:
            found[decision.case_id] += _try(decision, attempt.state is AttemptState.SUCCEEDED)
    yield from found.items()


def _try(row: RetryDecision, is_approved: bool) -> list[Tried]:
    facts, _, _, content = read_record(row.record)
    if content["version"] != RECORD_VERSION:
        return []
    chosen = content["candidates"][content["choice"]]
    return [Tried(facts, datetime.fromisoformat(chosen["at"]), chosen["probability"], is_approved)]
