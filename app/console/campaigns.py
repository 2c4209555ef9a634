"""Campaigns: which there are and in which order, one with its versions in words, who comes to which, and as a file.

Reads only; what people may change is in `campaign_actions` and `campaign_edit`.
"""

from uuid import UUID

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.campaigns.definition import CampaignDefinition
from app.campaigns.diffs import Change, differences
from app.campaigns.files import write_file
from app.campaigns.strict import CampaignInvalid
from app.campaigns.words import say
from app.console import current
from app.console.blueprint import console
from app.console.campaign_fields import SECTIONS
from app.models import Campaign, CampaignVersion, RecoveryCase
from app.recovery import moving
from app.recovery.applying import entries_of
from app.recovery.campaigns import newest_version, read_definition
from app.recovery.coverage import AT_ONCE, preview
from app.recovery.coverage import coverage as find_coverage
from app.recovery.segment_facts import count_renewals


@console.get("/campaigns")
def campaigns() -> ResponseReturnValue:
    with current.rows() as session:
        found = session.scalars(
            select(Campaign).order_by(Campaign.archived_at.is_not(None), Campaign.position, Campaign.slug)
        ).all()
        rows = [_row(session, campaign) for campaign in found]
    return render_template("console/campaigns.html", rows=rows, say=say)


@console.get("/campaigns/coverage")
def campaign_coverage() -> ResponseReturnValue:
    with current.rows() as session:
        names = {row.slug: row for row in session.scalars(select(Campaign))}
        try:
            found = find_coverage(session, current.now())
        except CampaignInvalid as problem:
            return render_template("console/campaign_coverage.html", found=None, problem=str(problem), names=names)
    return render_template("console/campaign_coverage.html", found=found, names=names)


@console.get("/campaigns/export")
def export_campaigns() -> ResponseReturnValue:
    """All campaigns in force as the file that `recoup campaigns plan` reads."""
    with current.rows() as session:
        rows = session.scalars(
            select(Campaign).where(Campaign.archived_at.is_(None)).order_by(Campaign.position, Campaign.slug)
        ).all()
        text = write_file(entries_of(session, rows)) if rows else "campaigns: []\n"
    response = Response(text, mimetype="application/yaml")
    response.headers["Content-Disposition"] = 'attachment; filename="campaigns.yaml"'
    return response


@console.get("/campaigns/<uuid:campaign_id>")
def campaign(campaign_id: UUID) -> ResponseReturnValue:
    with current.rows() as session:
        found = session.get(Campaign, campaign_id) or abort(404)
        versions = _versions(session, found)
        is_wanted = "fits" in request.args or count_renewals(session) <= AT_ONCE
        fits = preview(session, versions[0][1].segment, current.now()) if is_wanted else None
        return render_template(
            "console/campaign.html",
            campaign=found,
            versions=versions,
            newest=versions[0],
            fits=fits,
            running=moving.count_running(session, found.id),
            sections=SECTIONS,
            say=say,
        )


def _row(session: Session, campaign: Campaign) -> dict[str, object]:
    newest = newest_version(session, campaign.id)
    return {
        "campaign": campaign,
        "version": newest,
        "segment": read_definition(newest).segment,
        "running": sum(moving.count_running(session, campaign.id).values()),
    }


Told = tuple[CampaignVersion, CampaignDefinition, int, list[Change]]


def _versions(session: Session, campaign: Campaign) -> list[Told]:
    """Versions, newest first, each with its content, how many cases it has had, and what it changed."""
    cases = func.count(RecoveryCase.id)
    rows = session.execute(
        select(CampaignVersion, cases)
        .outerjoin(RecoveryCase, RecoveryCase.campaign_version_id == CampaignVersion.id)
        .where(CampaignVersion.campaign_id == campaign.id)
        .group_by(CampaignVersion.id)
        .order_by(CampaignVersion.number)
    ).all()
    listed: list[Told] = []
    for version, count in rows:
        definition = read_definition(version)
        changes = differences(listed[-1][1], definition) if listed else []
        listed.append((version, definition, count, changes))
    return listed[::-1]
