"""Campaigns in words: what is done about a failed payment on which day. Read-only; files and the CLI change them."""

from uuid import UUID

from flask import abort, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from app.console import current
from app.console.blueprint import console
from app.models import Campaign, CampaignVersion, RecoveryCase
from app.recovery.campaigns import read_definition


@console.get("/campaigns")
def campaigns() -> ResponseReturnValue:
    newest = func.max(CampaignVersion.number)
    query = (
        select(Campaign, newest, func.max(CampaignVersion.created_at))
        .join(CampaignVersion, CampaignVersion.campaign_id == Campaign.id)
        .group_by(Campaign.id)
        .order_by(Campaign.archived_at.is_not(None), Campaign.position)
    )
    with current.rows() as session:
        found = session.execute(query).all()
    return render_template("console/campaigns.html", campaigns=found)


@console.get("/campaigns/<uuid:campaign_id>")
def campaign(campaign_id: UUID) -> ResponseReturnValue:
    cases = func.count(RecoveryCase.id)
    query = (
        select(CampaignVersion, cases)
        .outerjoin(RecoveryCase, RecoveryCase.campaign_version_id == CampaignVersion.id)
        .where(CampaignVersion.campaign_id == campaign_id)
        .group_by(CampaignVersion.id)
        .order_by(CampaignVersion.number.desc())
    )
    with current.rows() as session:
        found = session.get(Campaign, campaign_id) or abort(404)
        versions = [(version, read_definition(version), count) for version, count in session.execute(query)]
    return render_template("console/campaign.html", campaign=found, versions=versions)
