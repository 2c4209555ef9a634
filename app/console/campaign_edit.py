"""The editor of a campaign: a form for each section, a look at what would change and for whom, and a new version.

A form is sent twice: to be checked, which shows what it comes to, and to be saved. Nothing is kept between the two.
"""

from dataclasses import replace
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.definition import CampaignDefinition
from app.campaigns.diffs import Change, differences
from app.campaigns.segments import DECLINE_CLASSES
from app.campaigns.strict import CampaignInvalid
from app.campaigns.words import say
from app.console import campaign_fields, current
from app.console.blueprint import console
from app.console.campaign_fields import SECTIONS, SPARE_MESSAGES, SPARE_ROWS, Values, values_of
from app.console.campaign_forms import Filled, read, understand
from app.console.campaign_merging import Merged, merge
from app.models import Campaign, CampaignVersion
from app.recovery import campaign_desk, moving
from app.recovery.campaign_cautions import told_by_rows, told_by_stripe
from app.recovery.campaigns import in_force, newest_version, read_definition
from app.recovery.coverage import Coverage, coverage, preview
from app.recovery.operator import Person
from app.vocabulary import DebtAfterwards, FinalActionKind

NOT_SENT_ON = ("csrf_token", "action")
WITH_PRICES = ("ending", "contact")


@console.get("/campaigns/<uuid:campaign_id>/edit/<section>")
def edit_campaign(campaign_id: UUID, section: str) -> ResponseReturnValue:
    with current.rows() as session:
        campaign, version, definition = _found(session, campaign_id, section)
        return _form(campaign, version.number, section, values_of(section, definition), {})


@console.post("/campaigns/<uuid:campaign_id>/edit/<section>")
def save_campaign(campaign_id: UUID, section: str) -> ResponseReturnValue:
    cautions = _ask_stripe(campaign_id, section) if request.form.get("action") not in ("save", "edit") else ()
    with current.rows() as session:
        campaign, version, before = _found(session, campaign_id, section)
        based_on = _number(request.form.get("version", "")) or version.number
        merged = _merged(session, version, section, based_on)
        if merged.clashes:
            return _form(campaign, version.number, section, merged.values, _told(version, merged)), 409
        filled = understand(section, merged.values, before)
        if filled.definition is not None and filled.definition.segment is None and not campaign.is_default:
            filled.errors["segment"] = "Say for whom this campaign is, or make it the default first."
        if filled.definition is None or filled.errors:
            return _form(campaign, based_on, section, filled.values, filled.errors), 422
        action = request.form.get("action")
        if action == "edit":
            return _form(campaign, based_on, section, filled.values, {})
        changes = differences(before, filled.definition)
        if action != "save" and changes:
            told = (*told_by_rows(session, before, filled.definition), *cautions)
            return _confirm(session, campaign, version, section, filled, changes, based_on, told)
        return _save(session, campaign, filled.definition, version.number, section, filled)


def _ask_stripe(campaign_id: UUID, section: str) -> tuple[str, ...]:
    """What Stripe says of the prices that were typed; nothing of what cannot be read."""
    if section not in WITH_PRICES:
        return ()
    with current.rows() as session:
        _, version, before = _found(session, campaign_id, section)
        based_on = _number(request.form.get("version", "")) or version.number
        definition = understand(section, _merged(session, version, section, based_on).values, before).definition
    organization_id = current.person().organization.organization_id
    return told_by_stripe(current.context(), organization_id, definition) if definition else ()


def _merged(session: Session, newest: CampaignVersion, section: str, based_on: int) -> Merged:
    """What was typed, together with what others have saved since the version that it was typed over."""
    typed = read(section, request.form)
    query = select(CampaignVersion).where(CampaignVersion.campaign_id == newest.campaign_id)
    base = session.scalar(query.where(CampaignVersion.number == based_on))
    if base is None or base.id == newest.id:
        return Merged(typed, {})
    shown, saved = (values_of(section, read_definition(each)) for each in (base, newest))
    return merge(shown, saved, typed)


def _told(newest: CampaignVersion, merged: Merged) -> dict[str, str]:
    other = f"Meanwhile {newest.created_by} saved version {newest.number}, where this is"
    return {
        field: f"{other} {saved}. What you wrote is shown, and replaces it if you go on."
        for field, saved in merged.clashes.items()
    }


def _save(
    session: Session, campaign: Campaign, definition: CampaignDefinition, based_on: int, section: str, filled: Filled
) -> ResponseReturnValue:
    person = current.person()
    by = Person(person.user_name, person.user_id)
    try:
        saved = campaign_desk.save(session, campaign.id, definition, based_on, by, current.now())
    except CampaignInvalid as problem:
        return _form(campaign, based_on, section, filled.values, {"form": f"Not saved: {problem}."}), 409
    if saved is None:
        flash("Nothing differs from the version in force, so nothing was saved.", "info")
    else:
        flash(f"Saved as version {saved.number}. New cases begin with it; running cases stay where they are.", "good")
    return redirect(url_for("console.campaign", campaign_id=campaign.id), code=303)


def _form(campaign: Campaign, based_on: int, section: str, values: Values, errors: dict[str, str]) -> str:
    return render_template(
        "console/campaign_edit.html",
        campaign=campaign,
        based_on=based_on,
        section=section,
        sections=SECTIONS,
        values=values,
        errors=errors,
        spare={"rows": SPARE_ROWS, "messages": SPARE_MESSAGES},
        names=campaign_fields,
        declines=DECLINE_CLASSES,
        actions=list(FinalActionKind),
        debts=list(DebtAfterwards),
    )


def _confirm(
    session: Session,
    campaign: Campaign,
    version: CampaignVersion,
    section: str,
    filled: Filled,
    changes: list[Change],
    based_on: int,
    cautions: tuple[str, ...],
) -> str:
    definition = filled.definition or abort(422)
    sent = [(name, value) for name, value in request.form.items(multi=True) if name not in NOT_SENT_ON]
    reach = _reach(session, campaign, definition) if section == "audience" else None
    return render_template(
        "console/campaign_confirm.html",
        campaign=campaign,
        version=version,
        is_merged=based_on != version.number,
        section=section,
        sections=SECTIONS,
        changes=changes,
        cautions=cautions,
        sent=sent,
        reach=reach,
        fits=preview(session, definition.segment, current.now()) if reach else None,
        spared=preview(session, definition.exclude, current.now()) if reach and definition.exclude else None,
        running=sum(moving.count_running(session, campaign.id).values()),
        say=say,
        definition=definition,
    )


def _reach(session: Session, campaign: Campaign, definition: CampaignDefinition) -> tuple[Coverage, Coverage] | None:
    """Which campaign today's subscriptions come to, as it is and as it would be; None for an archived campaign."""
    standing = in_force(session)
    if not any(each.campaign.is_default for each in standing):
        return None
    changed = [replace(each, definition=definition) if each.campaign.id == campaign.id else each for each in standing]
    return coverage(session, current.now(), standing), coverage(session, current.now(), changed)


def _found(session: Session, campaign_id: UUID, section: str) -> tuple[Campaign, CampaignVersion, CampaignDefinition]:
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or section not in SECTIONS:
        abort(404)
    version = newest_version(session, campaign.id)
    return campaign, version, read_definition(version)


def _number(given: str) -> int | None:
    return int(given) if given.isascii() and given.isdigit() and len(given) < 9 else None
