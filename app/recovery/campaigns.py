"""Campaigns as rows: an unchanging version for each edition of a definition, and the one that covers a case.

Gives a new organization its defaults: monthly plans are followed for 28 days and annual ones for 60, within the billing
cycle (docs/campaigns.md has the evidence). What a definition may say is the business of `app.campaigns`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.campaigns.definition import ANNUAL, MONTHLY, CampaignDefinition
from app.campaigns.matching import SegmentFacts, matches
from app.campaigns.stored import read_stored
from app.campaigns.strict import CampaignInvalid
from app.campaigns.words import say
from app.models import Campaign, CampaignVersion

_READ: dict[UUID, CampaignDefinition] = {}
_MOST_READ = 256


def add_version(
    session: Session, *, slug: str, name: str, definition: CampaignDefinition, is_default: bool, now: datetime, by: str
) -> CampaignVersion:
    """Write a new version of campaign `slug`, making the campaign if it is not there yet."""
    organization_id: UUID = session.info["organization_id"]
    campaign = session.scalar(select(Campaign).where(Campaign.slug == slug).with_for_update())
    if campaign is None:
        position = (session.scalar(select(func.max(Campaign.position))) or 0) + 1
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


def definition_of(session: Session, version_id: UUID) -> CampaignDefinition:
    """The content of a version that a row of this organization names.

    No version ever changes (the database sees to that), so a process reads each of the last few but once.
    """
    known = _READ.get(version_id)
    if known is None:
        known = _READ[version_id] = read_definition(session.get_one(CampaignVersion, version_id))
        for oldest in list(_READ)[:-_MOST_READ]:
            _READ.pop(oldest, None)
    return known


@dataclass(frozen=True)
class InForce:
    """A campaign that new cases may come to, with the version they would begin with."""

    campaign: Campaign
    version: CampaignVersion
    definition: CampaignDefinition


@dataclass(frozen=True)
class Choice:
    """The one campaign that covers a payment. `by_default` where no segment fits, so that it fell to the default."""

    chosen: InForce
    by_default: bool

    @property
    def because(self) -> str:
        """Why this one, as a sentence."""
        name = f"{self.chosen.campaign.name}, version {self.chosen.version.number}"
        if self.by_default:
            return f"It falls to {name}, the default, because no segment fits."
        return f"It follows {name}: {say(self.chosen.definition.segment)}."


def in_force(session: Session) -> list[InForce]:
    """The campaigns that new cases may come to, in the order in which they are asked."""
    newest = (
        select(CampaignVersion.campaign_id, func.max(CampaignVersion.number).label("number"))
        .group_by(CampaignVersion.campaign_id)
        .subquery()
    )
    rows = session.execute(
        select(Campaign, CampaignVersion)
        .join(newest, newest.c.campaign_id == Campaign.id)
        .join(
            CampaignVersion,
            (CampaignVersion.campaign_id == Campaign.id) & (CampaignVersion.number == newest.c.number),
        )
        .where(Campaign.archived_at.is_(None))
        .order_by(Campaign.position, Campaign.created_at, Campaign.slug)
    )
    return [InForce(campaign, version, read_definition(version)) for campaign, version in rows]


def choose(campaigns: Sequence[InForce], facts: SegmentFacts) -> Choice:
    """The first campaign whose segment surely fits, else the default; raises `CampaignInvalid` where there is none."""
    for each in campaigns:
        if each.definition.segment is not None and matches(each.definition.segment, facts):
            return Choice(each, by_default=False)
    for each in campaigns:
        if each.campaign.is_default:
            return Choice(each, by_default=True)
    raise CampaignInvalid("no campaign covers this case and no default is set; add one with `recoup campaigns apply`")


def newest_version(session: Session, campaign_id: UUID) -> CampaignVersion:
    """The version that new cases of this campaign begin with."""
    return session.scalars(
        select(CampaignVersion)
        .where(CampaignVersion.campaign_id == campaign_id)
        .order_by(CampaignVersion.number.desc())
        .limit(1)
    ).one()
