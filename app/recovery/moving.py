"""Moving running cases to another version of a campaign, on purpose: a person asks for it, the timeline says so.

A case is moved in a transaction of its own, and its plan is made anew: what went stays, what is to come is the new
version's. Refused is what would end a case by surprise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.bell import Urgency
from app.campaigns.definition import CampaignDefinition, window_end
from app.campaigns.strict import CampaignInvalid
from app.context import Context
from app.db import after_commit
from app.models import AuditEntry, Campaign, CampaignVersion, RecoveryCase, Step
from app.recovery import cases, mail_steps, planning
from app.recovery.campaigns import read_definition
from app.recovery.operator import Person
from app.vocabulary import OPEN_CASE_STATES, EntryKind, StepKind, StepState

LEAST_LEFT = timedelta(days=3)  # a final notice goes two days before the end, and somebody must have time to act


@dataclass(frozen=True)
class Outlook:
    """What a move would come to for one case: its new end, or why it is not moved."""

    case_id: UUID
    ends_at: datetime
    obstacle: str | None


@dataclass(frozen=True)
class Moved:
    """How many cases were moved, and those that were not with the reason."""

    cases: int
    refused: tuple[Outlook, ...]


def find_version(session: Session, name: str) -> tuple[Campaign, CampaignVersion]:
    """The version called `slug` (its newest) or `slug@3`; raises `CampaignInvalid`, which says what there is."""
    slug, _, number = name.partition("@")
    campaign = session.scalar(select(Campaign).where(Campaign.slug == slug))
    if campaign is None:
        known = session.scalars(select(Campaign.slug).order_by(Campaign.position)).all()
        raise CampaignInvalid(f"there is no campaign {slug}; there are: {', '.join(known) or 'none'}")
    versions = {
        row.number: row
        for row in session.scalars(select(CampaignVersion).where(CampaignVersion.campaign_id == campaign.id))
    }
    wanted = int(number) if number.isascii() and number.isdigit() else max(versions) if not number else None
    if wanted not in versions:
        raise CampaignInvalid(f"{slug} has no version {number}; its versions are 1 to {max(versions)}, as in {slug}@1")
    return campaign, versions[wanted]


def running_cases(session: Session, version_id: UUID) -> list[UUID]:
    """The cases on a version that are not over, oldest first."""
    query = select(RecoveryCase.id).where(
        RecoveryCase.campaign_version_id == version_id, RecoveryCase.state.in_(OPEN_CASE_STATES)
    )
    return list(session.scalars(query.order_by(RecoveryCase.failed_at, RecoveryCase.id)))


def count_running(session: Session, campaign_id: UUID) -> dict[int, int]:
    """How many cases run on each version of a campaign, by its number; versions without any are left out."""
    rows = session.execute(
        select(CampaignVersion.number, func.count())
        .join(RecoveryCase, RecoveryCase.campaign_version_id == CampaignVersion.id)
        .where(CampaignVersion.campaign_id == campaign_id, RecoveryCase.state.in_(OPEN_CASE_STATES))
        .group_by(CampaignVersion.number)
        .order_by(CampaignVersion.number)
    )
    return {number: count for number, count in rows}  # noqa: C416  (rows are no pairs to mypy)


def preview(session: Session, case_ids: Sequence[UUID], version: CampaignVersion, now: datetime) -> list[Outlook]:
    """What moving these cases to `version` would come to; changes nothing."""
    found = session.scalars(select(RecoveryCase).where(RecoveryCase.id.in_(case_ids)).order_by(RecoveryCase.failed_at))
    definition = read_definition(version)
    return [_outlook(case, version, definition, now) for case in found]


def move(context: Context, organization_id: UUID, case_ids: Sequence[UUID], version_id: UUID, by: Person) -> Moved:
    """Move cases to a version, each for itself; whoever is interrupted may ask again."""
    moved, refused = 0, []
    for case_id in case_ids:
        with context.database.organization(organization_id) as session:
            outlook = _move_one(session, case_id, session.get_one(CampaignVersion, version_id), by, context.clock.now())
            after_commit(session, lambda: context.bell.ring("sweep", urgency=Urgency.NOW))
        if outlook.obstacle:
            refused.append(outlook)
        else:
            moved += 1
    return Moved(moved, tuple(refused))


def _outlook(case: RecoveryCase, version: CampaignVersion, definition: CampaignDefinition, now: datetime) -> Outlook:
    ends_at = window_end(definition, case.failed_at)
    obstacle = None
    if case.state not in OPEN_CASE_STATES:
        obstacle = f"it has ended already: {case.state}"
    elif case.campaign_version_id == version.id:
        obstacle = "it is on this version already"
    elif ends_at < now + LEAST_LEFT and ends_at < case.window_ends_at:
        obstacle = (
            f"its window would end on {ends_at:%Y-%m-%d}, and it has to have {LEAST_LEFT.days} days left;"
            " make the window longer, or leave it where it is"
        )
    return Outlook(case.id, ends_at, obstacle)


def _move_one(session: Session, case_id: UUID, version: CampaignVersion, by: Person, now: datetime) -> Outlook:
    case, definition = cases.lock_case(session, case_id), read_definition(version)
    outlook = _outlook(case, version, definition, now)
    if outlook.obstacle:
        return outlook
    before = _called(session, session.get_one(CampaignVersion, case.campaign_version_id))
    case.campaign_version_id = version.id
    case.window_ends_at = outlook.ends_at
    case.grace_until = outlook.ends_at + timedelta(days=definition.grace_days)
    session.flush()
    mails = mail_steps.refit(session, case, definition, now)
    _move_window_end(session, case)
    after = _called(session, version)
    summary = (
        f"{by.name} moved the case from {before} to {after}: {mails} {'mail' if mails == 1 else 'mails'} to come,"
        f" the window ends on {outlook.ends_at:%Y-%m-%d}."
    )
    data = {"by": by.name, "from": before, "to": after}
    cases.append(session, case, EntryKind.ACTION, "moved", f"moved:{now.isoformat()}", now, now, summary, data)
    session.add(
        AuditEntry(
            organization_id=case.organization_id,
            actor=by.name,
            user_id=by.user_id,
            action="case.moved",
            subject=f"case {case.id}",
            happened_at=now,
            data={"from": before, "to": after},
        )
    )
    session.flush()
    planning.replan(session, case, now)
    return outlook


def _move_window_end(session: Session, case: RecoveryCase) -> None:
    session.execute(
        update(Step)
        .where(Step.case_id == case.id, Step.kind == StepKind.WINDOW_END)
        .where(Step.state.in_((StepState.PLANNED, StepState.CLAIMED)))
        .values(due_at=case.window_ends_at, state=StepState.PLANNED, lease_token=None, lease_until=None)
    )


def _called(session: Session, version: CampaignVersion) -> str:
    return f"{session.get_one(Campaign, version.campaign_id).name}, version {version.number}"
