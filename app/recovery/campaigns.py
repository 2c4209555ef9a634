"""Campaigns as rows: an unchanging version for each edition of a definition, and the one that covers a case.

Gives a new organization its defaults: monthly plans are followed for 28 days and annual ones for 60, within the billing
cycle (docs/campaigns.md has the evidence). What a definition may say is the business of `app.campaigns`.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.definition import ANNUAL, MONTHLY, CampaignDefinition
from app.campaigns.stored import read_stored
from app.campaigns.strict import CampaignInvalid
from app.models import Campaign, CampaignVersion


def add_version(
    session: Session, *, slug: str, name: str, definition: CampaignDefinition, is_default: bool, now: datetime, by: str
) -> CampaignVersion:
    """Write a new version of campaign `slug`, making the campaign if it is not there yet."""
    organization_id: UUID = session.info["organization_id"]
    campaign = session.scalar(select(Campaign).where(Campaign.slug == slug).with_for_update())
    if campaign is None:
        position = len(session.scalars(select(Campaign.id)).all()) + 1
        campaign = Campaign(
            organization_id=organization_id,
            slug=slug,
            name=name,
            position=position,
            is_default=is_default,
            created_at=now,
        )
        session.add(campaign)
        session.flush()
    numbers = session.scalars(select(CampaignVersion.number).where(CampaignVersion.campaign_id == campaign.id)).all()
    version = CampaignVersion(
        organization_id=organization_id,
        campaign_id=campaign.id,
        number=max(numbers, default=0) + 1,
        definition=definition.model_dump(mode="json"),
        created_at=now,
        created_by=by,
    )
    session.add(version)
    session.flush()
    return version


def add_defaults(session: Session, now: datetime, by: str) -> None:
    """Give an organization the two campaigns every one begins with; does nothing where they stand already."""
    if session.scalar(select(Campaign.id).limit(1)):
        return
    add_version(session, slug="annual", name="Annual plans", definition=ANNUAL, is_default=False, now=now, by=by)
    add_version(session, slug="monthly", name="Monthly plans", definition=MONTHLY, is_default=True, now=now, by=by)


def read_definition(version: CampaignVersion) -> CampaignDefinition:
    """The typed content of a stored version, whatever its age."""
    return read_stored(version.definition)


def find_version_for(session: Session, interval: str | None) -> CampaignVersion:
    """The newest version of the first campaign, in order, that covers `interval`; else of the default one.

    Raises `CampaignInvalid` when the organization has no campaign at all.
    """
    campaigns = session.scalars(
        select(Campaign).where(Campaign.archived_at.is_(None)).order_by(Campaign.position)
    ).all()
    fallback: CampaignVersion | None = None
    for campaign in campaigns:
        version = newest_version(session, campaign.id)
        if interval is not None and interval in read_definition(version).intervals:
            return version
        if campaign.is_default:
            fallback = version
    if fallback is None:
        raise CampaignInvalid(
            "no campaign covers this case and no default is set; add one with `recoup campaigns apply`"
        )
    return fallback


def newest_version(session: Session, campaign_id: UUID) -> CampaignVersion:
    """The version that new cases of this campaign begin with."""
    return session.scalars(
        select(CampaignVersion)
        .where(CampaignVersion.campaign_id == campaign_id)
        .order_by(CampaignVersion.number.desc())
        .limit(1)
    ).one()
