"""`recoup rehearse`: a campaign played on invented customers before a real one sees it."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli.common import find_organization, for_people, many, open_context
from app.context import Context
from app.rehearsal.ordering import MOST_CASES, MOST_DAYS, make_order
from app.rehearsal.orders import Order
from app.rehearsal.rehearse import Rehearsed
from app.rehearsal.rehearse import rehearse as play
from app.vocabulary import ConnectionMode


@click.command("rehearse")
@click.argument("campaign")
@click.option("--cases", type=click.IntRange(1, MOST_CASES), default=200, show_default=True, help="Failed payments.")
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=40, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed draws the same customers.")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in ConnectionMode]),
    help="Who retries; as the account is set by default.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the report.")
@click.option("--organization", metavar="SLUG", help="Whose campaign; may be left out when there is only one.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures for a program.")
@for_people
def rehearse(
    campaign: str,
    cases: int,
    days: int,
    seed: int,
    mode: str | None,
    out: Path | None,
    organization: str | None,
    as_json: bool,
) -> None:
    """Play CAMPAIGN (its short name) through the real code on invented customers and write a report.

    It is a simulation in a database schema of its own: no table of yours changes, no mail is sent, nothing is charged.
    """
    context = open_context()
    owner = find_organization(context, organization)
    chosen = ConnectionMode(mode) if mode else None
    with context.database.organization(owner.id) as session:
        order = make_order(session, campaign, cases=cases, days=days, seed=seed, mode=chosen, now=context.clock.now())
    file = _writable(out or Path(f"rehearsal-{campaign}.html"))
    rehearsed = _play(context, order, is_quiet=as_json)
    file.write_text(rehearsed.html, encoding="utf-8")
    click.echo(json.dumps({**rehearsed.plain(), "report": str(file)}, indent=2) if as_json else _said(rehearsed, file))


def _writable(file: Path) -> Path:
    """The report's file, made now: a minute's play must not end at a folder that is not there."""
    try:
        file.touch()
    except OSError as problem:
        raise click.BadParameter(f"{file} cannot be written: {problem.strerror}", param_hint="--out") from problem
    return file


def _play(context: Context, order: Order, *, is_quiet: bool) -> Rehearsed:
    console = Console(stderr=True)
    if is_quiet or not console.is_terminal:
        return play(context, order, _silence if is_quiet else _Tenths(order.campaign).hear)
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"Rehearsing {order.campaign}", total=1.0)
        return play(context, order, lambda share: progress.update(task, completed=share))


def _silence(_share: float) -> None:
    return


class _Tenths:
    """How far it is, for a log instead of a terminal: a line for each tenth."""

    def __init__(self, campaign: str) -> None:
        self._campaign, self._said = campaign, 0

    def hear(self, share: float) -> None:
        if (tenths := int(share * 10)) > self._said:
            self._said = tenths
            click.echo(f"Rehearsing {self._campaign}: {tenths * 10}%", err=True)


def _said(rehearsed: Rehearsed, file: Path) -> str:
    found, tries = rehearsed.figures["recovered"], rehearsed.figures["tries"]
    low, high = (f"{share:.0%}" for share in found["interval"])
    lines = [
        f"Expected recovery {found['share']:.0%} ({found['count']} of {found['of']}; 95% interval {low} to {high})."
        " This is a simulation.",
        f"{tries} {'try' if tries == 1 else 'tries'}, {many(rehearsed.figures['mails'], 'mail')}.",
        *(f"- {sentence}" for sentence in rehearsed.findings),
        f"The report is in {file}.",
    ]
    return "\n".join(lines)
