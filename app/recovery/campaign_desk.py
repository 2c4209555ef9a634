"""What people may do to campaigns: save a new version, add one, put them in order, choose the default, archive.

Each is written to the audit. A running case is touched by none of it. There is always exactly one default.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.campaigns.definition import CampaignDefinition
from app.campaigns.diffs import differences
from app.campaigns.strict import CampaignInvalid
from app.models import AuditEntry, Campaign, CampaignVersion
from app.recovery.campaigns import add_version, newest_version, read_definition
from app.recovery.operator import Person


class CampaignChangedMeanwhile(CampaignInvalid):
    """Somebody saved another version since this one was looked at."""


def lock_all(session: Session) -> list[Campaign]:
    """Every campaign in its order, the archived ones last, locked: who changes several waits for who does already."""
    query = select(Campaign).order_by(Campaign.archived_at.is_not(None), Campaign.position, Campaign.slug)
    return list(session.scalars(query.with_for_update()))


def save(
    session: Session, campaign_id: UUID, definition: CampaignDefinition, based_on: int, by: Person, now: datetime
) -> CampaignVersion | None:
    """Write a new version for new cases; None where nothing differs. Raises `CampaignInvalid`.

    `based_on` is the number of the version that was looked at: with another one since, nothing is saved.
    """
    campaign = _lock(session, campaign_id)
    newest = newest_version(session, campaign.id)
    if newest.number != based_on:
        raise CampaignChangedMeanwhile(
            f"{newest.created_by} saved version {newest.number} meanwhile; look at it, and make your change again"
        )
    changes = differences(read_definition(newest), definition)
    if not changes:
        return None
    if definition.segment is None and not campaign.is_default:
        raise CampaignInvalid("say for whom this campaign is, or make it the default first")
    version = add_version(
        session, slug=campaign.slug, name=campaign.name, definition=definition, is_default=False, now=now, by=by.name
    )
    note(session, campaign, "campaign.saved", by, now, version=version.number, changes=[str(each) for each in changes])
    return version


def add(session: Session, slug: str, name: str, definition: CampaignDefinition, by: Person, now: datetime) -> Campaign:
    """A new campaign, last in order, as the default if it is the first. Raises `CampaignInvalid` for a taken slug."""
    standing = lock_all(session)
    if any(each.slug == slug for each in standing):
        raise CampaignInvalid(f"there is a campaign {slug} already; choose another short name")
    is_default = not any(each.is_default and each.archived_at is None for each in standing)
    add_version(session, slug=slug, name=name, definition=definition, is_default=is_default, now=now, by=by.name)
    campaign = session.scalars(select(Campaign).where(Campaign.slug == slug)).one()
    note(session, campaign, "campaign.added", by, now)
    return campaign


def rename(session: Session, campaign_id: UUID, name: str, by: Person, now: datetime) -> None:
    """Call it otherwise; its short name stays. Raises `CampaignInvalid` for an empty name."""
    campaign = _lock(session, campaign_id)
    if not name.strip() or len(name) > 80:
        raise CampaignInvalid("a name has from 1 to 80 characters")
    note(session, campaign, "campaign.renamed", by, now, before=campaign.name, after=name.strip())
    campaign.name = name.strip()


def put(session: Session, campaign_id: UUID, earlier: bool, by: Person, now: datetime) -> None:
    """Ask this campaign one place earlier, or one later; at the end of the list nothing changes."""
    ordered = [each for each in lock_all(session) if each.archived_at is None]
    place = next((place for place, each in enumerate(ordered) if each.id == campaign_id), None)
    other = None if place is None else place - 1 if earlier else place + 1
    if place is None or other is None or not 0 <= other < len(ordered):
        return
    ordered[place], ordered[other] = ordered[other], ordered[place]
    number(ordered)
    note(session, ordered[other], "campaign.ordered", by, now, order=[each.slug for each in ordered])


def make_default(session: Session, campaign_id: UUID, by: Person, now: datetime) -> None:
    """Have this campaign take what no segment fits. Raises `CampaignInvalid` for an archived one."""
    campaigns = lock_all(session)
    chosen = next((each for each in campaigns if each.id == campaign_id), None)
    if chosen is None or chosen.archived_at is not None:
        raise CampaignInvalid("an archived campaign cannot be the default; take it out of the archive first")
    former = [each for each in campaigns if each.is_default]
    for each in former:
        if each.id != chosen.id and each.archived_at is None:
            check_has_segment(session, each)
    for each in former:
        each.is_default = False
    session.flush()
    chosen.is_default = True
    note(session, chosen, "campaign.made_default", by, now, before=[each.slug for each in former])


def archive(session: Session, campaign_id: UUID, by: Person, now: datetime) -> None:
    """No new case comes to it; its running cases go on. Raises `CampaignInvalid` for the default."""
    campaign = _lock(session, campaign_id)
    if campaign.is_default:
        raise CampaignInvalid("this is the default; make another campaign the default first")
    if campaign.archived_at is None:
        campaign.archived_at = now
        note(session, campaign, "campaign.archived", by, now)


def bring_back(session: Session, campaign_id: UUID, by: Person, now: datetime) -> None:
    """Take a campaign out of the archive, to the last place. Raises `CampaignInvalid` where it is for nobody."""
    campaign = _lock(session, campaign_id)
    if campaign.archived_at is None:
        return
    check_has_segment(session, campaign)
    campaign.archived_at = None
    campaign.position = (session.scalar(select(func.max(Campaign.position))) or 0) + 1
    note(session, campaign, "campaign.brought_back", by, now)


def number(ordered: Sequence[Campaign]) -> None:
    """Write the places of campaigns as they stand in `ordered`."""
    for position, each in enumerate(ordered, start=1):
        each.position = position


def note(session: Session, campaign: Campaign, action: str, by: Person, now: datetime, **data: Any) -> None:
    """A line in the audit about a campaign."""
    session.add(
        AuditEntry(
            organization_id=campaign.organization_id,
            actor=by.name,
            user_id=by.user_id,
            action=action,
            subject=f"campaign {campaign.slug}",
            happened_at=now,
            data=data,
        )
    )


def check_has_segment(session: Session, campaign: Campaign) -> None:
    """Raises `CampaignInvalid` where a campaign that is not the default would be for nobody."""
    if read_definition(newest_version(session, campaign.id)).segment is None:
        raise CampaignInvalid(f"{campaign.name} does not say for whom it is; give it a segment first")


def _lock(session: Session, campaign_id: UUID) -> Campaign:
    campaign = session.get(Campaign, campaign_id, with_for_update=True)
    if campaign is None:
        raise CampaignInvalid("there is no such campaign")
    return campaign
