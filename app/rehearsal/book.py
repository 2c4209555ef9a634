"""The book of rehearsals: who asked for which, how far it is, how it ended. One runs at a time for an organization.

Whoever plays one says every few seconds that it is alive, on the machine's clock; a rehearsal that has been silent for
long has crashed, and is said to have.
"""

import zlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, undefer

from app.clock import SystemClock
from app.context import Context
from app.errors import RecoupError
from app.log import get_logger
from app.models import Campaign, Rehearsal
from app.rehearsal.errors import Cancelled, RehearsalFailed
from app.rehearsal.ordering import check, make_order
from app.rehearsal.rehearse import Rehearsed, rehearse
from app.vocabulary import RehearsalState

log = get_logger(__name__)
SILENT_FOR = timedelta(seconds=90)  # longer than a worker may take to hear its bell, and a room to be made
BEAT_EVERY = timedelta(seconds=2)
KEPT = 30  # reports; the figures of older ones stay
CRASHED = "It crashed, or the machine was stopped: nothing was heard of it any more."
NOT_HEARD = "No worker took it up. Is a worker running (recoup worker), and is Redis reachable?"


class RehearsalRunning(RecoupError):
    """Another rehearsal of this organization has not ended yet."""


def begin(session: Session, *, slug: str, cases: int, days: int, seed: int, by: str, wall: datetime) -> Rehearsal:
    """Write down a rehearsal that somebody asks for; `wall` is the machine's time.

    Raises `RehearsalFailed` for what cannot be rehearsed, `RehearsalRunning` while another one runs.
    """
    check(cases, days)
    campaign = session.scalar(select(Campaign).where(Campaign.slug == slug))
    if campaign is None:
        raise RehearsalFailed(f"there is no campaign {slug}")
    # Locked, so that of two who ask at once one is told of the other.
    running = session.scalars(_running().with_for_update()).first()
    if running is not None and is_alive(running, wall):
        raise RehearsalRunning("A rehearsal is running already; wait for its end, or cancel it.")
    if running is not None:
        _end(running, RehearsalState.FAILED, wall, why_silent(running))
        session.flush()
    row = Rehearsal(
        organization_id=session.info["organization_id"],
        campaign=campaign.name,
        slug=slug,
        cases=cases,
        days=days,
        seed=seed,
        asked_by=by,
        state=RehearsalState.RUNNING,
        began_at=wall,
        beat_at=wall,
    )
    session.add(row)
    _forget_old_reports(session)
    session.flush()
    return row


def is_alive(row: Rehearsal, wall: datetime) -> bool:
    """Whether it runs and was heard of lately."""
    return row.state is RehearsalState.RUNNING and wall - row.beat_at < SILENT_FOR


def why_silent(row: Rehearsal) -> str:
    """Why a rehearsal that is no longer alive stopped, as far as can be told."""
    return CRASHED if row.beat_at > row.began_at else NOT_HEARD


def cancel(session: Session, rehearsal_id: UUID, wall: datetime) -> bool:
    """Ask a rehearsal to end; one that has crashed ends here and now. False when it had ended already."""
    row = session.get(Rehearsal, rehearsal_id, with_for_update=True)
    if row is None or row.state is not RehearsalState.RUNNING:
        return False
    row.is_cancelled = True
    if not is_alive(row, wall):
        _end(row, RehearsalState.FAILED, wall, why_silent(row))
    return True


def report_of(session: Session, rehearsal_id: UUID) -> str | None:
    """The page of a rehearsal; None where there is none (any more)."""
    row = session.get(Rehearsal, rehearsal_id, options=[undefer(Rehearsal.report)])
    return zlib.decompress(row.report).decode() if row and row.report else None


def play(context: Context, organization_id: UUID, rehearsal_id: UUID) -> None:
    """Play one that stands in the book and write down how it ended; nothing where it has ended already."""
    with context.database.organization(organization_id) as session:
        row = session.get_one(Rehearsal, rehearsal_id)
        if row.state is not RehearsalState.RUNNING:
            return
        now = context.clock.now()
    watch = _Watch(context, organization_id, rehearsal_id)
    try:
        watch.say(0.0)
        with context.database.organization(organization_id) as session:
            order = make_order(session, row.slug, cases=row.cases, days=row.days, seed=row.seed, mode=None, now=now)
        watch.done(rehearse(context, order, watch.say, watch.is_cancelled))
    except Cancelled:
        watch.ended(RehearsalState.CANCELLED, None)
    except RecoupError as problem:
        watch.ended(RehearsalState.FAILED, str(problem))
    except Exception as problem:  # nobody waits for it; whoever asked must find out why
        log.exception("rehearsal.failed", rehearsal=str(rehearsal_id))
        watch.ended(RehearsalState.FAILED, f"A fault of Recoup's own: {type(problem).__name__}.")


class _Watch:
    """Writes how far a rehearsal is, no more often than it has to, and hears whether it is to end."""

    def __init__(self, context: Context, organization_id: UUID, rehearsal_id: UUID) -> None:
        self._context, self._organization_id, self._id = context, organization_id, rehearsal_id
        self._clock = SystemClock()
        self._said_at: datetime | None = None
        self._is_cancelled = False

    def say(self, share: float) -> None:
        now = self._clock.now()
        if self._said_at and now - self._said_at < BEAT_EVERY:
            return
        self._said_at = now
        beat = (
            update(Rehearsal)
            .where(Rehearsal.id == self._id, Rehearsal.state == RehearsalState.RUNNING)
            .values(share=share, beat_at=now)
            .returning(Rehearsal.is_cancelled)
        )
        with self._context.database.organization(self._organization_id) as session:
            asked = session.scalar(beat)
        self._is_cancelled = asked is not False  # one that was ended by somebody else has no row to beat

    def is_cancelled(self) -> bool:
        return self._is_cancelled

    def done(self, rehearsed: Rehearsed) -> None:
        page = zlib.compress(rehearsed.html.encode(), 6)
        self.ended(RehearsalState.DONE, None, figures=rehearsed.plain(), report=page, share=1.0)

    def ended(self, state: RehearsalState, problem: str | None, **values: Any) -> None:
        with self._context.database.organization(self._organization_id) as session:
            row = session.get_one(Rehearsal, self._id, with_for_update=True)
            if row.state is not RehearsalState.RUNNING:
                return
            for name, value in values.items():
                setattr(row, name, value)
            _end(row, state, self._clock.now(), problem)


def _end(row: Rehearsal, state: RehearsalState, wall: datetime, problem: str | None) -> None:
    row.state, row.ended_at, row.problem = state, wall, problem


def _running() -> Any:
    return select(Rehearsal).where(Rehearsal.state == RehearsalState.RUNNING)


def _forget_old_reports(session: Session) -> None:
    kept = select(Rehearsal.id).where(Rehearsal.report.is_not(None)).order_by(Rehearsal.began_at.desc()).limit(KEPT)
    old = Rehearsal.report.is_not(None), Rehearsal.id.not_in(kept.scalar_subquery())
    session.execute(update(Rehearsal).where(*old).values(report=None).execution_options(synchronize_session=False))
