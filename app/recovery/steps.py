"""Steps as durable due-rows: planned, claimed under a lease with a fencing token, begun, finished. Rows only.

What a step does is the business of `running`; this file guarantees that one worker at a time does it, and that a
worker which outlived its lease cannot write an ending. A lease says how long a silent process counts as alive, so it is
on the database's own clock, which nobody can turn and which all machines share; when a step is due is the caller's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, Update, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from app.db import prepared, table_of
from app.errors import RecoupError
from app.models import RecoveryCase, Step
from app.vocabulary import OPEN_STEP_STATES, StepKind, StepState

TO_BE_HEARD = timedelta(seconds=20)  # a claimed step whose bell nobody heard is claimed again after this
LEASE = timedelta(seconds=50)  # a begun step is taken over after this

CLAIM = text(
    """
    update steps set state = 'claimed', lease_until = now() + :to_be_heard, lease_token = gen_random_uuid()
    where id = any (array (  -- made once, while a subquery may be planned to run, limit and all, for each row
        select id from steps
        where state in ('planned', 'claimed', 'running') and due_at <= :now
          and (state = 'planned' or lease_until <= now())
        order by due_at limit :limit for update skip locked
    ))
    returning organization_id, id, lease_token
    """
)


_STEPS = table_of(Step)
_PLAN = insert(_STEPS).on_conflict_do_nothing(index_elements=["case_id", "key"]).returning(_STEPS.c.id)


class LeaseLost(RecoupError):
    """Another worker has taken this step over; whatever was about to be written must not be."""


@dataclass(frozen=True)
class Claim:
    """A step that is ours to begin, as long as `token` is still on it."""

    organization_id: UUID
    step_id: UUID
    token: UUID


def plan(
    session: Session,
    case: RecoveryCase,
    kind: StepKind,
    key: str,
    due_at: datetime,
    why: str,
    content: dict[str, Any] | None = None,
) -> bool:
    """Plan a step; False (and nothing changed) where the case has had one of this key."""
    step = {
        "id": uuid4(),
        "organization_id": case.organization_id,
        "case_id": case.id,
        "kind": kind,
        "key": key,
        "due_at": due_at,
        "state": StepState.PLANNED,
        "why": why,
        "plan": content or {},
        "claims": 0,
    }
    return session.scalar(_PLAN, step) is not None


def open_steps(session: Session, case_id: UUID, kind: StepKind | None = None) -> list[Step]:
    """Steps of a case that are still to come or under way, soonest first."""
    found = session.scalars(*_open_steps(case_id))
    return [step for step in found if kind in (None, step.kind)]


def has_open(session: Session, case_id: UUID) -> bool:
    """Whether a case has any step that is still to come or under way."""
    return session.scalar(*_any_open(case_id)) is not None


@prepared
def _any_open(case_id: UUID) -> Select[UUID]:
    return select(_STEPS.c.id).where(_STEPS.c.case_id == case_id, _STEPS.c.state.in_(OPEN_STEP_STATES)).limit(1)


@prepared
def _open_steps(case_id: UUID) -> Select[Step]:
    return select(Step).where(Step.case_id == case_id, Step.state.in_(OPEN_STEP_STATES)).order_by(Step.due_at)


def cancel(
    session: Session,
    case_id: UUID,
    why: str,
    now: datetime,
    kinds: tuple[StepKind, ...] | None = None,
    but: tuple[str, ...] = (),
) -> int:
    """Cancel what has not begun, `but` the steps of these keys. Returns how many.

    A step under way looks at the case itself before it acts.
    """
    return len(session.scalars(*_cancel(case_id, why, now, kinds or tuple(StepKind), but)).all())


@prepared
def _cancel(
    case_id: UUID, why: str, now: datetime, kinds: tuple[StepKind, ...], but: tuple[str, ...]
) -> ReturningUpdate[UUID]:
    has_not_begun = _STEPS.c.state.in_((StepState.PLANNED, StepState.CLAIMED))
    found = update(_STEPS).where(_STEPS.c.case_id == case_id, has_not_begun)
    wanted = found.where(_STEPS.c.kind.in_(kinds), _STEPS.c.key.not_in(but))
    ended = {"state": StepState.CANCELLED, "problem": why, "finished_at": now}
    return wanted.values(lease_token=None, lease_until=None, **ended).returning(_STEPS.c.id)


def skip(session: Session, case_id: UUID, kind: StepKind, why: str, now: datetime) -> None:
    """Say of planned steps beforehand that they will not be carried out, and why."""
    session.execute(
        update(Step)
        .where(Step.case_id == case_id, Step.kind == kind, Step.state == StepState.PLANNED)
        .values(state=StepState.SKIPPED, problem=why, finished_at=now)
    )


def claim_due(session: Session, now: datetime, limit: int = 50) -> list[Claim]:
    """Claim due steps of any organization, those whose lease has run out included. Any number of clocks may call it."""
    rows = session.execute(CLAIM, {"now": now, "to_be_heard": TO_BE_HEARD, "limit": limit})
    return [Claim(*row) for row in rows]


def claim_one(session: Session, step: Step, now: datetime) -> Claim | None:
    """Claim one due step for this very process; None when somebody else has begun it, or it is due no longer.

    One that a clock claimed and no worker began is taken: whoever is already at work on the case is quicker.
    """
    token = uuid4()
    is_free = Step.state.in_((StepState.PLANNED, StepState.CLAIMED)) | (Step.lease_until <= func.now())
    claimed = session.scalars(
        update(Step)
        .where(Step.id == step.id, Step.due_at <= now, is_free)
        .values(
            state=StepState.CLAIMED, lease_token=token, lease_until=func.now() + TO_BE_HEARD, claims=Step.claims + 1
        )
        .returning(Step.id)
    ).one_or_none()
    return Claim(step.organization_id, step.id, token) if claimed else None


def unclaim(session: Session, claims: list[Claim]) -> None:
    """Give claims back at once when the bell could not be rung."""
    session.execute(
        update(Step)
        .where(Step.lease_token.in_([claim.token for claim in claims]), Step.state == StepState.CLAIMED)
        .values(state=StepState.PLANNED, lease_token=None, lease_until=None)
    )


def begin(session: Session, claim: Claim) -> Step | None:
    """Start a claimed step; None when another worker has it, had it, or it was cancelled. One caller wins.

    Only this counts as a claim of the step: bells that nobody heard in time say nothing about it.
    """
    step: Step | None = session.scalars(*_begin(claim.step_id, claim.token)).one_or_none()
    return step


@prepared
def _begin(step_id: UUID, token: UUID) -> Any:
    claimed = _STEPS.c.id == step_id, _STEPS.c.lease_token == token, _STEPS.c.state == StepState.CLAIMED
    running = {"state": StepState.RUNNING, "lease_until": func.now() + LEASE, "claims": _STEPS.c.claims + 1}
    begun = update(_STEPS).where(*claimed).values(running).returning(*_STEPS.c)
    return select(Step).from_statement(begun).execution_options(populate_existing=True)


def finish(session: Session, claim: Claim, state: StepState, why: str | None, now: datetime) -> None:
    """Write a begun step's ending; raises `LeaseLost` if it was taken over meanwhile."""
    _under_lease(session, claim, *_finish(claim.step_id, claim.token, state, why, now))


@prepared
def _finish(step_id: UUID, token: UUID, state: StepState, why: str | None, now: datetime) -> ReturningUpdate[UUID]:
    ended = {"state": state, "problem": why, "finished_at": now}
    return _leave(step_id, token).values(ended).returning(_STEPS.c.id)


def postpone(session: Session, claim: Claim, due_at: datetime, why: str) -> None:
    """Put a begun step back on the calendar because its time has not come; raises `LeaseLost`.

    It was looked at and all is well, so what has gone wrong with it before counts no longer.
    """
    _under_lease(session, claim, *_postpone(claim.step_id, claim.token, due_at, why, 0))


def try_later(session: Session, claim: Claim, due_at: datetime, trouble: str, claims: int) -> None:
    """Put a begun step back because of `trouble`, which counts: it is the one after `claims`; raises `LeaseLost`."""
    _under_lease(session, claim, *_postpone(claim.step_id, claim.token, due_at, trouble, claims))


@prepared
def _postpone(step_id: UUID, token: UUID, due_at: datetime, why: str, claims: int) -> ReturningUpdate[UUID]:
    again = {"state": StepState.PLANNED, "due_at": due_at, "problem": why, "claims": claims}
    return _leave(step_id, token).values(again).returning(_STEPS.c.id)


def _leave(step_id: UUID, token: UUID) -> Update:
    held = _STEPS.c.id == step_id, _STEPS.c.lease_token == token, _STEPS.c.state == StepState.RUNNING
    return update(_STEPS).where(*held).values(lease_token=None, lease_until=None)


def _under_lease(session: Session, claim: Claim, change: ReturningUpdate[UUID], values: dict[str, Any]) -> None:
    changed = session.scalars(change, values).one_or_none()
    if changed is None:
        raise LeaseLost(str(claim.step_id))
