"""`recoup campaigns`: what is done about failed payments, as a file that is compared and applied, and who gets what."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.files import CampaignFile, read_file, write_file
from app.campaigns.strict import CampaignInvalid
from app.campaigns.words import say
from app.cli.common import find_organization, for_people, open_context
from app.context import Context
from app.models import Campaign
from app.recovery import applying, customer_desk, moving
from app.recovery.campaign_cautions import told_by_stripe
from app.recovery.campaigns import newest_version
from app.recovery.coverage import Coverage
from app.recovery.coverage import coverage as find_coverage
from app.recovery.operator import Person

BY = Person("command line")
MOST_SHOWN = 10
NOBODY = "nobody of today would come to it: it fits no one, or campaigns that are asked before it fit them all"
_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True))
_ORGANIZATION = click.option(
    "--organization", metavar="SLUG", help="Whose campaigns; not needed where there is only one."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print it for a program.")


@click.group("campaigns")
def campaigns() -> None:
    """What is done about failed payments: compare and apply files, see who gets what, move running cases."""


@campaigns.command("plan")
@_FILE
@_ORGANIZATION
@_JSON
@for_people
def plan(file: Path, organization: str | None, as_json: bool) -> None:
    """Show what FILE would change, and how many running cases stay on which version. Changes nothing."""
    context, content = open_context(), _read(file)
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        planned = applying.plan(session, content)
        nobody = applying.nobody_comes_to(session, content, planned, BY, context.clock.now())
    planned = _cautioned(context, owner.id, content, planned, nobody)
    click.echo(_plan_as_json(planned) if as_json else said(planned, "would be"))


@campaigns.command("apply")
@_FILE
@_ORGANIZATION
@_JSON
@for_people
def apply(file: Path, organization: str | None, as_json: bool) -> None:
    """Bring FILE into force for new cases. The same file again changes nothing; running cases are not touched."""
    context, content = open_context(), _read(file)
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        planned = applying.plan(session, content)
        nobody = applying.nobody_comes_to(session, content, planned, BY, context.clock.now())
        applying.apply(session, content, BY, context.clock.now())
    planned = _cautioned(context, owner.id, content, planned, nobody)
    click.echo(_plan_as_json(planned) if as_json else said(planned, "is"))


@campaigns.command("export")
@click.argument("slugs", nargs=-1, metavar="[SLUG]...")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it there instead of printing it.")
@_ORGANIZATION
@for_people
def export(slugs: tuple[str, ...], out: Path | None, organization: str | None) -> None:
    """Print campaigns as a file that `plan` and `apply` read; all that are in force, unless some are named."""
    context = open_context()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        text = write_file(applying.entries_of(session, _named(session, slugs)))
    if out:
        out.write_text(text, encoding="utf-8")
        click.echo(f"Written to {out}.")
    else:
        click.echo(text, nl=False)


@campaigns.command("show")
@_ORGANIZATION
@_JSON
@for_people
def show(organization: str | None, as_json: bool) -> None:
    """List the campaigns in the order in which they are asked, and the cases that run on each version."""
    context = open_context()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        rows = [_row(session, campaign) for campaign in _named(session, ())]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for number, row in enumerate(rows, start=1):
        default = ", takes what no segment fits" if row["default"] else ""
        click.echo(f"{number}. {row['name']} ({row['slug']}), version {row['version']}{default}")
        click.echo(f"   for: {row['segment']}")
        click.echo(f"   running: {_running(row['running']) or 'no case'}")


@campaigns.command("coverage")
@_ORGANIZATION
@_JSON
@for_people
def coverage(organization: str | None, as_json: bool) -> None:
    """Say which campaign each plan's customers would come to today, and which plans fall to the default."""
    context = open_context()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        found = find_coverage(session, context.clock.now())
    click.echo(_coverage_as_json(found) if as_json else _coverage_said(found))


@campaigns.command("move")
@click.option("--from", "source", required=True, metavar="SLUG[@VERSION]", help="Whose running cases are moved.")
@click.option("--to", "target", required=True, metavar="SLUG[@VERSION]", help="Where to; the newest version if none.")
@click.option("--case", "chosen", multiple=True, metavar="ID", help="Only this case; may be given several times.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_ORGANIZATION
@for_people
def move(source: str, target: str, chosen: tuple[str, ...], yes: bool, organization: str | None) -> None:
    """Move running cases to another version. What is to come is planned anew; what went is not sent again."""
    context = open_context()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        _, before = moving.find_version(session, source)
        name, after = moving.find_version(session, target)
        found = moving.running_cases(session, before.id)
        case_ids = [case_id for case_id in found if not chosen or str(case_id) in chosen]
        outlooks = moving.preview(session, case_ids, after, context.clock.now())
    if not case_ids:
        raise CampaignInvalid(f"no case runs on {source}" + (" of those you name" if chosen else ""))
    for outlook in outlooks[:MOST_SHOWN]:
        stays = (
            f"stays: {outlook.obstacle}" if outlook.obstacle else f"its window will end on {outlook.ends_at:%Y-%m-%d}"
        )
        click.echo(f"- case {outlook.case_id} {stays}")
    if len(outlooks) > MOST_SHOWN:
        click.echo(f"- and {len(outlooks) - MOST_SHOWN} more")
    movable = sum(not outlook.obstacle for outlook in outlooks)
    if not yes:
        click.confirm(f"Move {movable} of {len(outlooks)} cases to {name.name}, version {after.number}?", abort=True)
    done = moving.move(context, owner.id, case_ids, after.id, BY)
    click.echo(f"{done.cases} moved, {len(done.refused)} left where they were.")


@campaigns.command("tag")
@click.argument("customer", metavar="cus_…")
@click.argument("tags", nargs=-1, metavar="[TAG]...")
@_ORGANIZATION
@for_people
def tag(customer: str, tags: tuple[str, ...], organization: str | None) -> None:
    """Set the tags of a customer, which segments and exclusions ask for; none takes them all away."""
    context = open_context()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        row = customer_desk.find_customer(session, customer)
        is_changed = customer_desk.tag(session, row.id, tags, BY, context.clock.now())
        standing = ", ".join(row.tags) or "none"
    click.echo(f"{customer} has these tags now: {standing}." if is_changed else f"Nothing to change: {standing}.")


@campaigns.command("snooze")
@click.argument("customer", metavar="cus_…")
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day on which it is over.")
@click.option("--note", default="", help="Why; colleagues see it.")
@_ORGANIZATION
@for_people
def snooze(customer: str, until: datetime, note: str, organization: str | None) -> None:
    """Leave a customer alone until a day, whatever they owe: no try, no mail. It ends by itself."""
    context = open_context()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        row = customer_desk.find_customer(session, customer)
        customer_desk.snooze(session, row.id, until.replace(tzinfo=UTC), BY, note, context.clock.now())
    click.echo(f"{customer} is left alone until {until:%Y-%m-%d}.")


def _cautioned(
    context: Context, owner: UUID, content: CampaignFile, planned: applying.FilePlan, nobody: list[str]
) -> applying.FilePlan:
    """The plan with what Stripe says of its prices, and who comes to its campaigns."""
    told = []
    for entry, wanted in zip(planned.entries, content.campaigns, strict=True):
        more = told_by_stripe(context, owner, wanted.definition()) if entry.version else ()
        more += (NOBODY,) if entry.slug in nobody and not wanted.archived else ()
        told.append(replace(entry, cautions=(*entry.cautions, *more)))
    return replace(planned, entries=tuple(told))


def said(planned: applying.FilePlan, verb: str) -> str:
    """A file's plan for people; `verb` is "would be" before and "is" after."""
    if planned.is_empty:
        return "Nothing to change: it is all so already."
    lines = [line for entry in planned.entries for line in _entry_said(entry, verb)]
    if planned.order_before != planned.order_after:
        lines.append(f"Order in which they are asked: {', '.join(planned.order_after)}")
        lines.append(f"  was: {', '.join(planned.order_before) or 'nothing'}")
    if planned.untouched:
        lines.append(f"Not in the file, left as they are: {', '.join(planned.untouched)}")
    return "\n".join(lines)


def _entry_said(entry: applying.EntryPlan, verb: str) -> list[str]:
    if entry.is_unchanged:
        return [f"{entry.slug}: nothing to change"]
    if entry.is_new:
        return [f"{entry.slug}: {verb} added as “{entry.name}”, version 1", *_cautions(entry)]
    lines = [f"{entry.slug}: version {entry.version} {verb} for new cases" if entry.version else f"{entry.slug}:"]
    lines += [f"  {change}" for change in (*entry.row, *entry.changes)]
    if entry.version and entry.running:
        lines.append(f"  running cases stay where they are: {_running(entry.running)}")
    return lines + _cautions(entry)


def _cautions(entry: applying.EntryPlan) -> list[str]:
    return [f"  ! {caution}" for caution in entry.cautions]


def _running(running: dict[int, int]) -> str:
    told = [f"{count} {'case' if count == 1 else 'cases'} on version {number}" for number, count in running.items()]
    return ", ".join(told)


def _coverage_said(found: Coverage) -> str:
    lines = [f"{found.subscriptions} living subscriptions."]
    for plan in found.plans:
        where = ", ".join(f"{slug} {count}" for slug, count in plan.campaigns.most_common())
        notes = [
            f"{plan.by_default} by default" if plan.by_default else "",
            f"{plan.depends} depend on how they fail" if plan.depends else "",
            f"{plan.excluded} left alone" if plan.excluded else "",
        ]
        told = "; ".join(note for note in notes if note)
        price = f" [{plan.price_id}]" if plan.price_id and plan.price_id != plan.plan else ""
        lines.append(f"- {plan.plan}{price}: {plan.subscriptions}, to {where}" + (f" ({told})" if told else ""))
    lines += [f"- {slug} gets nobody" for slug, count in found.campaigns.items() if not count]
    if found.by_default:
        lines.append(
            f"{found.by_default} come to {found.default} only because no segment fits them. If that is not meant, name"
            " their plans in a segment."
        )
    else:
        lines.append("A segment fits every one of them; none falls to the default.")
    return "\n".join(lines)


def _coverage_as_json(found: Coverage) -> str:
    plans = [{**vars(plan), "campaigns": dict(plan.campaigns)} for plan in found.plans]
    whole = {"subscriptions": found.subscriptions, "by_default": found.by_default, "default": found.default}
    return json.dumps({**whole, "campaigns": found.campaigns, "plans": plans}, indent=2)


def _plan_as_json(planned: applying.FilePlan) -> str:
    return json.dumps(asdict(planned), indent=2, default=str)


def _row(session: Session, campaign: Campaign) -> dict[str, Any]:
    entry = applying.entries_of(session, [campaign])[0]
    return {
        "slug": campaign.slug,
        "name": campaign.name,
        "default": campaign.is_default,
        "version": newest_version(session, campaign.id).number,
        "segment": say(entry.segment),
        "running": moving.count_running(session, campaign.id),
    }


def _named(session: Session, slugs: tuple[str, ...]) -> list[Campaign]:
    rows = session.scalars(select(Campaign).order_by(Campaign.position)).all()
    unknown = [slug for slug in slugs if slug not in {row.slug for row in rows}]
    if unknown:
        raise CampaignInvalid(f"there is no campaign {unknown[0]}; there are: {', '.join(row.slug for row in rows)}")
    return [row for row in rows if (row.slug in slugs if slugs else row.archived_at is None)]


def _read(file: Path) -> CampaignFile:
    with click.open_file(str(file), encoding="utf-8") as opened:
        try:
            return read_file(opened.read())
        except UnicodeDecodeError as problem:
            raise CampaignInvalid(f"{file} is no text in UTF-8") from problem
