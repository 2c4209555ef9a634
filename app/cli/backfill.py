"""`recoup backfill`: the past of an account becomes history; old debts become cases when the operator says so."""

import json
from datetime import datetime
from typing import Any

import click

from app.accounts.connections import gateway_for
from app.cli.common import for_people, many, open_context
from app.cli.errands import choose_connections, figures, finish, shown
from app.context import Context
from app.inbox.backfill.old_debts import OldDebts, left_alone, old_debts
from app.inbox.backfill.preview import preview as look_ahead
from app.inbox.errands import upkeep
from app.inbox.errands.running import Progress, begin
from app.models import Connection, Errand
from app.money import format_money
from app.stripe_gateway.pace import Pace
from app.vocabulary import ErrandKind


@click.command("backfill")
@click.option("--organization", metavar="SLUG", help="Whose accounts; may be left out when there is only one.")
@click.option("--connection", metavar="ID", help="One account only: the connection's id or acct_….")
@click.option("--months", type=click.IntRange(1, 60), default=upkeep.MONTHS, show_default=True, help="How far back.")
@click.option("--preview", is_flag=True, help="Only count the open failed invoices at Stripe; keep nothing.")
@click.option("--open-cases", is_flag=True, help="Afterwards open a case for each old debt, after asking.")
@click.option("--yes", is_flag=True, help="Do not ask before opening cases.")
@click.option("--json", "as_json", is_flag=True)
@for_people
def backfill(
    organization: str | None,
    connection: str | None,
    months: int,
    preview: bool,
    open_cases: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Read past invoices, charges and failures for learning and reports. Writes to nobody and charges nothing.

    May be stopped and run again at any time; it goes on where it was. One that is running already is carried on.
    """
    context = open_context()
    results = []
    for row in choose_connections(context, organization, connection):
        if preview:
            results.append(_preview(context, row, months, as_json))
            continue
        result = _read(context, row, months, as_json)
        if open_cases and result["problem"] is None:
            result |= _open_cases(context, row, is_sure=yes or as_json, is_quiet=as_json)
        results.append(result)
    if as_json:
        click.echo(json.dumps(results, indent=2))
    raise SystemExit(0 if all(result.get("problem") is None for result in results) else 1)


def _preview(context: Context, connection: Connection, months: int, is_quiet: bool) -> dict[str, Any]:
    since = datetime.fromisoformat(upkeep.period(context.clock.now(), months)["since"])
    debts = look_ahead(context, gateway_for(context, connection, Pace()), connection, since)
    if not is_quiet:
        click.echo(f"{connection.account_id}: open failed invoices of the last {months} months without a case")
        _print_debts(debts)
        click.echo("  At most: debts of cancelled subscriptions and disputed ones are left out when they are read.")
    return {"connection": str(connection.id), "account": connection.account_id, "old_debts": _plain(debts)}


def _read(context: Context, connection: Connection, months: int, is_quiet: bool) -> dict[str, Any]:
    errand_id = upkeep.begin_backfill(context, connection, "command line", months)
    with shown(f"Reading the past of {connection.account_id}", is_quiet=is_quiet) as say:
        progress = finish(context, connection, errand_id, say)
    with context.database.organization(connection.organization_id) as session:
        debts, reasons = old_debts(session, connection.id), left_alone(session, connection.id)
        read = session.get_one(Errand, errand_id).options["months"]
    problem = progress.problem if progress.standing == "failed" else None
    if not is_quiet:
        _print_read(connection, progress, debts, reasons)
        if read != months:
            click.echo(f"  An earlier reading of {read} months was carried on. Run this again for {months} months.")
    return {
        "connection": str(connection.id),
        "account": connection.account_id,
        "state": progress.standing,
        "months": read,
        "problem": problem,
        "counts": progress.counts,
        "old_debts": _plain(debts),
        "left_alone": reasons,
    }


def _open_cases(context: Context, connection: Connection, *, is_sure: bool, is_quiet: bool) -> dict[str, Any]:
    with context.database.organization(connection.organization_id) as session:
        debts = old_debts(session, connection.id)
    count = sum(each.invoices for each in debts)
    if not count or not (is_sure or click.confirm(f"Open {many(count, 'case')}? Their customers will be written to")):
        return {"opened": {}}
    errand_id = begin(context, connection, ErrandKind.OLD_DEBTS, "command line")
    with shown(f"Opening cases of {connection.account_id}", is_quiet=is_quiet) as say:
        progress = finish(context, connection, errand_id, say)
    if not is_quiet:
        click.echo(f"  {figures(progress.counts) or 'nothing to open'}")
    problem = progress.problem if progress.standing == "failed" else None
    return {"opened": progress.counts, "problem": problem}


def _print_read(connection: Connection, progress: Progress, debts: list[OldDebts], reasons: dict[str, int]) -> None:
    click.echo(f"{connection.account_id}: {progress.standing} ({figures(progress.counts)})")
    for sentence in progress.counts.get("notes", []):
        click.echo(f"  {sentence}")
    if progress.standing == "failed":
        click.echo(f"  It ended early: {progress.problem}", err=True)
    _print_debts(debts)
    for reason, count in sorted(reasons.items()):
        click.echo(f"  {count} left alone: {reason}")
    if debts:
        click.echo("  They stay as they are unless you run `recoup backfill --open-cases`.")


def _print_debts(debts: list[OldDebts]) -> None:
    for each in debts:
        owed = format_money(each.owed)
        click.echo(f"  {many(each.invoices, 'old debt')} of {many(each.customers, 'customer')} open: {owed}")
    if not debts:
        click.echo("  No old debt is open.")


def _plain(debts: list[OldDebts]) -> list[dict[str, Any]]:
    return [
        {
            "currency": each.owed.currency,
            "invoices": each.invoices,
            "customers": each.customers,
            "amount": each.owed.minor,
        }
        for each in debts
    ]
