"""`recoup reconcile`: what was missed at Stripe, why it is thought so, and what was done about it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click
from sqlalchemy import select

from app.cli.common import for_people, open_context
from app.cli.errands import choose_connections, figures, finish, shown
from app.context import Context
from app.inbox.errands.running import begin, rehearse
from app.inbox.errands.walk import BY_HAND, Found
from app.models import Connection, Finding
from app.stripe_gateway.pace import Pace
from app.vocabulary import ErrandKind, FindingKind

SHOWN = 10  # findings of one kind: an outage misses hundreds of events


@dataclass(frozen=True)
class Result:
    """One account's reconciliation as it is printed."""

    connection: Connection
    standing: str
    counts: dict[str, Any]
    found: list[Found]
    problem: str | None = None

    def plain(self) -> dict[str, Any]:
        return {
            "connection": str(self.connection.id),
            "account": self.connection.account_id,
            "state": self.standing,
            "problem": self.problem,
            "counts": {name: value for name, value in self.counts.items() if name != "notes"},
            "notes": self.counts.get("notes", []),
            "found": [vars(one) for one in self.found],
        }


@click.command("reconcile")
@click.option("--organization", metavar="SLUG", help="Whose accounts; may be left out when there is only one.")
@click.option("--connection", metavar="ID", help="One account only: the connection's id or acct_….")
@click.option("--dry-run", is_flag=True, help="Look and say, but change nothing.")
@click.option("--json", "as_json", is_flag=True)
@for_people
def reconcile(organization: str | None, connection: str | None, dry_run: bool, as_json: bool) -> None:
    """Look for events that never arrived and invoices that stand otherwise at Stripe; mend and report both.

    The clock process does this every hour. One that is running already is carried on, not begun anew.
    """
    context = open_context()
    look = _rehearse if dry_run else _look
    results = [look(context, row, as_json) for row in choose_connections(context, organization, connection)]
    if as_json:
        click.echo(json.dumps([result.plain() for result in results], indent=2))
    else:
        for result in results:
            _print(result, dry_run)
    raise SystemExit(0 if all(result.problem is None for result in results) else 1)


def _look(context: Context, connection: Connection, is_quiet: bool) -> Result:
    errand_id = begin(context, connection, ErrandKind.RECONCILE, "command line", {BY_HAND: True})
    with shown(f"Reconciling {connection.account_id}", is_quiet=is_quiet) as say:
        progress = finish(context, connection, errand_id, say)
    with context.database.organization(connection.organization_id) as session:
        rows = session.scalars(select(Finding).where(Finding.errand_id == errand_id).order_by(Finding.id))
        found = [Found(row.kind, row.subject, row.why, row.outcome) for row in rows]
    problem = progress.problem if progress.standing == "failed" else None
    return Result(connection, progress.standing, progress.counts, found, problem)


def _rehearse(context: Context, connection: Connection, is_quiet: bool) -> Result:
    with shown(f"Looking at {connection.account_id}", is_quiet=is_quiet) as say:
        walk = rehearse(context, connection, ErrandKind.RECONCILE, say, Pace())
    return Result(connection, "looked", walk.counts, walk.rehearsed)


def lines(found: Sequence[Found], undone: str) -> Iterator[str]:
    """Findings for people: what concerns money and the endpoint first, and of each kind no more than can be read.

    `undone` is said of those about which nothing was done.
    """
    for kind in sorted(FindingKind, key=lambda kind: kind is FindingKind.MISSED_EVENT):
        of_kind = [one for one in found if one.kind is kind]
        for one in of_kind[:SHOWN]:
            yield f"{kind.value.replace('_', ' ')} {one.subject}: {one.why}"
            yield f"  {one.outcome or undone}"
        if len(of_kind) > SHOWN:
            yield f"… and {len(of_kind) - SHOWN} more of this kind; --json and the console have all of them"


def _print(result: Result, dry_run: bool) -> None:
    click.echo(f"{result.connection.account_id}: {result.standing} ({figures(result.counts) or 'nothing to look at'})")
    for line in lines(result.found, "nothing was done, as asked" if dry_run else "not mended yet"):
        click.echo(f"  {line}")
    for sentence in result.counts.get("notes", []):
        click.echo(f"  {sentence}")
    if result.problem:
        click.echo(f"  It ended early: {result.problem}", err=True)
    elif not result.found:
        click.echo("  Nothing was missed.")
