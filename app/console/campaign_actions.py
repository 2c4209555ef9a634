"""What a person may do to a campaign as a whole: add, rename, put in order, default, archive, move running cases.

Each is a form; the rules are `app.recovery.campaign_desk`'s and `moving`'s, and a refusal is shown as its sentence.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.definition import MONTHLY
from app.campaigns.files import Entry
from app.campaigns.problems import problems_of
from app.campaigns.strict import CampaignInvalid
from app.console import current
from app.console.blueprint import console
from app.models import Campaign, CampaignVersion
from app.recovery import campaign_desk, moving
from app.recovery.campaigns import in_force, newest_version, read_definition
from app.recovery.operator import Person

Deed = Callable[[Session, UUID, Person, datetime], None]


@console.post("/campaigns")
def add_campaign() -> ResponseReturnValue:
    """A copy of another campaign, or of the usual monthly one; it is for nobody until its audience is said."""
    with current.rows() as session:
        model = session.scalar(select(Campaign).where(Campaign.slug == request.form.get("copy", "")))
        content = read_definition(newest_version(session, model.id)) if model else MONTHLY
        slug, name = (request.form.get(field, "").strip() for field in ("slug", "name"))
        try:
            Entry.model_validate({"slug": slug, "name": name, "default": True})
            added = campaign_desk.add(session, slug, name, content, _by(), current.now())
        except ValidationError as error:
            return _refused("; ".join(str(problem) for problem in problems_of(error, Entry)), None)
        except CampaignInvalid as problem:
            return _refused(str(problem), None)
        flash("Added, last in order. Say for whom it is: so far it asks for the same people as its model.", "good")
        return redirect(url_for("console.edit_campaign", campaign_id=added.id, section="audience"), code=303)


@console.post("/campaigns/<uuid:campaign_id>/place")
def place_campaign(campaign_id: UUID) -> ResponseReturnValue:
    earlier = request.form.get("to") == "earlier"
    return _do(
        campaign_id,
        lambda session, each, by, now: campaign_desk.put(session, each, earlier, by, now),
        "The order is changed for new cases.",
        url_for("console.campaigns"),
    )


@console.post("/campaigns/<uuid:campaign_id>/default")
def default_campaign(campaign_id: UUID) -> ResponseReturnValue:
    return _do(campaign_id, campaign_desk.make_default, "What no segment fits comes to this campaign now.")


@console.post("/campaigns/<uuid:campaign_id>/archive")
def archive_campaign(campaign_id: UUID) -> ResponseReturnValue:
    return _do(campaign_id, campaign_desk.archive, "Archived. No new case comes to it; running cases go on.")


@console.post("/campaigns/<uuid:campaign_id>/bring-back")
def bring_back_campaign(campaign_id: UUID) -> ResponseReturnValue:
    return _do(campaign_id, campaign_desk.bring_back, "Back from the archive, last in order.")


@console.post("/campaigns/<uuid:campaign_id>/rename")
def rename_campaign(campaign_id: UUID) -> ResponseReturnValue:
    name = request.form.get("name", "")
    return _do(
        campaign_id,
        lambda session, each, by, now: campaign_desk.rename(session, each, name, by, now),
        "Renamed.",
    )


@console.get("/campaigns/<uuid:campaign_id>/move")
def move_cases_form(campaign_id: UUID) -> ResponseReturnValue:
    """What moving cases of a version would come to: all that run on it or one, to a campaign's newest version."""
    with current.rows() as session:
        campaign = session.get(Campaign, campaign_id) or abort(404)
        source = _version(session, campaign, request.args.get("version", ""))
        target = _target(session, campaign, request.args.get("target", ""))
        cases = _chosen(moving.running_cases(session, source.id), request.args.get("case", ""))
        return render_template(
            "console/campaign_move.html",
            campaign=campaign,
            source=source,
            target=target,
            targets=in_force(session),
            target_name=session.get_one(Campaign, target.campaign_id).name,
            outlooks=moving.preview(session, cases, target, current.now()),
            case=request.args.get("case", ""),
        )


@console.post("/campaigns/<uuid:campaign_id>/move")
def move_cases(campaign_id: UUID) -> ResponseReturnValue:
    context, person = current.context(), current.person()
    with current.rows() as session:
        campaign = session.get(Campaign, campaign_id) or abort(404)
        source = _version(session, campaign, request.form.get("version", ""))
        target = _target(session, campaign, request.form.get("target", ""))
        cases = _chosen(moving.running_cases(session, source.id), request.form.get("case", ""))
    if str(target.number) != request.form.get("to"):
        return _refused(f"version {target.number} was saved meanwhile; look at it first", campaign_id)
    done = moving.move(context, person.organization.organization_id, cases, target.id, _by())
    left = f" {len(done.refused)} stay where they were: {done.refused[0].obstacle}." if done.refused else ""
    flash(f"{done.cases} moved to version {target.number}.{left}", "good" if done.cases else "bad")
    return redirect(url_for("console.campaign", campaign_id=target.campaign_id), code=303)


def _do(campaign_id: UUID, deed: Deed, done: str, back: str | None = None) -> ResponseReturnValue:
    with current.rows() as session:
        if session.get(Campaign, campaign_id) is None:
            abort(404)
        try:
            deed(session, campaign_id, _by(), current.now())
        except CampaignInvalid as problem:
            return _refused(str(problem), campaign_id)
    flash(done, "good")
    return redirect(back or url_for("console.campaign", campaign_id=campaign_id), code=303)


def _refused(why: str, campaign_id: UUID | None) -> ResponseReturnValue:
    flash(f"Not done: {why}.", "bad")
    back = url_for("console.campaign", campaign_id=campaign_id) if campaign_id else url_for("console.campaigns")
    return redirect(back, code=303)


def _version(session: Session, campaign: Campaign, number: str) -> CampaignVersion:
    """The version of that number; the oldest with running cases, else the newest, where none is named."""
    running = moving.count_running(session, campaign.id)
    newest = newest_version(session, campaign.id)
    is_named = number.isascii() and number.isdigit() and len(number) < 9
    wanted = int(number) if is_named else min(running, default=newest.number)
    found = select(CampaignVersion).where(CampaignVersion.campaign_id == campaign.id, CampaignVersion.number == wanted)
    return session.scalar(found) or abort(404)


def _target(session: Session, campaign: Campaign, slug: str) -> CampaignVersion:
    """The newest version of the campaign called `slug`, of `campaign` itself where none is named."""
    found = session.scalar(select(Campaign).where(Campaign.slug == slug)) if slug else campaign
    return newest_version(session, (found or abort(404)).id)


def _chosen(cases: list[UUID], only: str) -> list[UUID]:
    return [case_id for case_id in cases if not only or str(case_id) == only]


def _by() -> Person:
    person = current.person()
    return Person(person.user_name, person.user_id)
