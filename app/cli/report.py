"""`recoup report`: what became of failed payments, as a table for people or JSON and CSV for programs.

Only shows: every figure and its definition comes from `app.reports`.
"""

import json
import sys
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table as RichTable
from sqlalchemy.orm import Session

from app.cli.common import find_organization, for_people, open_context
from app.money import Money, format_money
from app.reports import tables
from app.reports.cases import case_lines
from app.reports.figures import Outcomes, Share, Tally
from app.reports.metrics import ATTRIBUTION_RULE, CurrencyReport, Overview, overview
from app.reports.movements import movements
from app.reports.plain import plain_overview
from app.reports.views import Period
from app.vocabulary import RecoveredBy

CAUSES = {
    RecoveredBy.RETRY: "by a retry of Recoup's",
    RecoveredBy.NEW_CARD: "by a new card",
    RecoveredBy.AUTHENTICATION: "by 3-D Secure",
    RecoveredBy.STRIPE_RETRY: "by a retry of Stripe's",
    RecoveredBy.CUSTOMER: "by the customer, elsewhere",
    RecoveredBy.OUT_OF_BAND: "outside Stripe",
}
EMPTY = "No payment has failed in this period."
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("report")
@click.option("--organization", metavar="SLUG", help="Whose report; may be left out when there is only one.")
@click.option("--since", type=_DAY, help="First UTC day, included.")
@click.option("--until", type=_DAY, help="Last UTC day, included.")
@click.option("--currency", metavar="CODE", help="One currency only, as usd.")
@click.option(
    "--by", type=click.Choice(["currency", "cohort", "day", "case"]), default="currency", help="One line for each …"
)
@click.option("--json", "as_json", is_flag=True, help="JSON, amounts in minor units.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV with a header line.")
@for_people
def report(
    organization: str | None,
    since: datetime | None,
    until: datetime | None,
    currency: str | None,
    by: str,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Failed, recovered and lost payments, by the day a payment first failed (`--by day`: by the day it happened)."""
    if as_json and as_csv:
        raise click.UsageError("choose --json or --csv, not both")
    period = Period(since.date() if since else None, until.date() if until else None, currency)
    if period.since and period.until and period.since > period.until:
        raise click.UsageError("--since is after --until")
    context = open_context()
    tenant = find_organization(context, organization)
    with context.database.organization(tenant.id) as session:
        _show(session, context.clock.now(), period, by, as_json=as_json, as_csv=as_csv)


def _show(session: Session, now: datetime, period: Period, by: str, *, as_json: bool, as_csv: bool) -> None:
    found = overview(session, now=now, currency=period.currency, since=period.since, until=period.until)
    if as_json and by == "currency":
        click.echo(_json(plain_overview(found)))
        return
    table = _table(session, period, found, by)
    if as_json:
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        click.echo(_json({"as_of": now.isoformat(), "rows": rows}))
    elif as_csv:
        tables.write_csv(table, sys.stdout)
    elif by == "currency":
        _print_overview(found)
    else:
        _print_table(table)


def _table(session: Session, period: Period, found: Overview, by: str) -> tables.Table:
    match by:
        case "cohort":
            return tables.cohort_table(found)
        case "day":
            return tables.movement_table(movements(session, period))
        case "case":
            return tables.case_table(case_lines(session, period))
        case _:
            return tables.currency_table(found)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, sort_keys=True, default=str)


def _print_table(table: tables.Table) -> None:
    shown = RichTable(*table.columns)
    for row in table.rows:
        shown.add_row(*map(tables.cell, row))
    Console(width=None if sys.stdout.isatty() else 240).print(shown if shown.row_count else EMPTY)


def _print_overview(found: Overview) -> None:
    console = Console()
    for currency in found.currencies:
        console.print(_currency_table(currency))
        for line in _notes(currency):
            console.print(f"  {line}", highlight=False)
        console.print()
    console.print(ATTRIBUTION_RULE if found.currencies else EMPTY)


def _currency_table(report: CurrencyReport) -> RichTable:
    table = RichTable(title=report.currency.upper(), title_justify="left")
    table.add_column("Payments")
    for heading in ("cases", "amount", "of cases owed", "of money owed"):
        table.add_column(heading, justify="right")
    outcomes = report.outcomes
    lines: list[tuple[str, Tally, Outcomes | None]] = [
        ("Failed", outcomes.failed, None),
        ("Recovered", outcomes.recovered, outcomes),
        *((f"  {CAUSES[cause]}", total, outcomes) for cause, total in report.recovered_by.items()),
        ("Settled outside Stripe", outcomes.settled_elsewhere, outcomes),
        ("Lost", outcomes.lost, outcomes),
        ("Still in recovery", outcomes.in_recovery, outcomes),
        ("Withdrawn (not owed)", outcomes.withdrawn, None),
    ]
    for label, total, of in lines:
        share = of.share_of_owed(total) if of else Share(None, None)
        amount = format_money(Money(total.amount, report.currency))
        table.add_row(label, str(total.cases), amount, _percent(share.by_cases), _percent(share.by_amount))
    return table


def _notes(report: CurrencyReport) -> list[str]:
    notes = []
    matured, still_open = report.matured, report.still_open
    if matured.owed.cases:
        notes.append(f"Recovery rate, windows closed ({_cases(matured.owed)}): {_rates(matured.recovery_rate)}")
    else:
        notes.append("Recovery rate: no window has closed yet")
    if still_open.owed.cases:
        notes.append(
            f"Windows still open ({_cases(still_open.owed)}): {_rates(still_open.recovery_rate)} so far; "
            f"of the decided {_rates(still_open.rate_of_decided)}"
        )
    if report.median_days_to_recover is not None:
        notes.append(
            f"Days to recover: median {report.median_days_to_recover:.1f}, mean {report.mean_days_to_recover:.1f}"
        )
    return notes


def _cases(total: Tally) -> str:
    return "1 case" if total.cases == 1 else f"{total.cases} cases"


def _rates(share: Share) -> str:
    return f"{_percent(share.by_cases) or '–'} of cases, {_percent(share.by_amount) or '–'} of money"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
