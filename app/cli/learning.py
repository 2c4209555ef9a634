"""`recoup retries learn|export|import|replay`: what the planner has learnt, and what a draft of settings would do."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from app.campaigns.definition import RetrySettings
from app.cli.common import find_organization, for_people, open_context
from app.recovery import drafts, learning
from app.retries.facts import RetryPolicy

BY = "command line"
USUAL = RetrySettings()
whose = click.option("--organization", metavar="SLUG", help="Whose; not needed where there is one organization.")


@click.command("learn")
@whose
@for_people
def learn(organization: str | None) -> None:
    """Learn from your own cases and your past now, as the clock does every night."""
    context = open_context()
    row = learning.learn_now(context, find_organization(context, organization).id, BY)
    used = "used from now on" if row.is_used else "not used"
    click.echo(f"{row.reason[:1].upper()}{row.reason[1:]}: {used} (knowledge {row.version}, {row.cases} cases read).")


@click.command("export")
@whose
@click.option("--to", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="A file; else the terminal.")
@for_people
def export(organization: str | None, to: Path | None) -> None:
    """Write out what was learnt: counts only, nothing personal."""
    context = open_context()
    text = learning.export_counts(context, find_organization(context, organization).id)
    if to is None:
        click.echo(text)
        return
    to.write_text(text + "\n")
    click.echo(f"Written to {to}.")


@click.command("import")
@click.argument("counts", type=click.File())
@whose
@for_people
def import_counts(counts: TextIO, organization: str | None) -> None:
    """Begin from the COUNTS of another installation (a file that `export` wrote, or -)."""
    context = open_context()
    row = learning.import_counts(context, find_organization(context, organization).id, counts.read(), BY)
    click.echo(f"Knowledge {row.version} of {row.cases} cases is used from now on.")


@click.command("replay")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Cases that failed from this day on.")
@click.option("--window", type=click.IntRange(1, 90), default=28, show_default=True, help="Days after the failure.")
@click.option("--attempts", type=click.IntRange(0, 8), default=USUAL.max_attempts, show_default=True)
@click.option(
    "--gap", type=click.FloatRange(24), default=USUAL.min_gap_hours, show_default=True, help="Hours between tries."
)
@click.option(
    "--exploration", type=click.FloatRange(0, 0.01), default=0.0, show_default=True, help="Share it may cost."
)
@whose
@click.option("--json", "as_json", is_flag=True)
@for_people
def replay(
    since: datetime, window: int, attempts: int, gap: float, exploration: float, organization: str | None, as_json: bool
) -> None:
    """Judge a draft of retry settings by your own history: what it would have done, and about what it would recover."""
    draft = RetryPolicy(
        timing="planned", window_days=window, max_attempts=attempts, min_gap_hours=gap, exploration_loss=exploration
    )
    context = open_context()
    with context.database.organization(find_organization(context, organization).id) as session:
        found = drafts.judge(session, draft, since.replace(tzinfo=UTC))
    click.echo(json.dumps(asdict(found), indent=2) if as_json else _told(found))


def _told(found: drafts.Judgement) -> str:
    estimate, rehearsal = found.rehearsal.estimate, found.rehearsal
    low, high = estimate.interval95
    return (
        f"{found.cases} planned cases, {found.with_tries} with drawn tries, {found.recovered} recovered by one.\n"
        f"The draft meets {rehearsal.planned_tries} tries and would have chosen the same moment in "
        f"{rehearsal.same_choices}.\n"
        f"When it tries a card, {rehearsal.card_uses[0]:.1f} of {rehearsal.card_cap} tries in 30 days are used on "
        f"average, {rehearsal.card_uses[1]} at most.\n"
        f"Expected recovery by its tries: {estimate.value:.1%} ({low:.1%} to {high:.1%}), worth "
        f"{estimate.effective_cases:.0f} comparable cases."
    )
