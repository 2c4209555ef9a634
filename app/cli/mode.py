"""`recoup mode`: who retries the cards of a connection, Stripe or Recoup, and what stands against that."""

from uuid import UUID

import click
from sqlalchemy import select

from app.accounts import conflicts
from app.cli.common import find_organization, for_people, open_context
from app.errors import RecoupError
from app.models import Connection, Organization
from app.recovery.operator import Person
from app.recovery.switching import preview, switch
from app.vocabulary import ConflictKind, ConnectionMode, Enforcement

BY = Person("command line")


class ConnectionUnclear(RecoupError):
    """The command needs one connection, and it is not clear which."""


@click.command("mode")
@click.argument("mode", required=False, type=click.Choice([mode.value for mode in ConnectionMode]))
@click.option("--organization", metavar="SLUG", help="Whose connection; not needed where there is one organization.")
@click.option("--account", metavar="acct_…", help="Which Stripe account or connection; not needed where there is one.")
@click.option(
    "--enforce/--warn",
    "is_enforced",
    default=None,
    help="In drive: take each invoice from Stripe (auto_advance), or change nothing there and only say so.",
)
@click.option(
    "--settle",
    type=click.Choice([kind.value for kind in conflicts.OF_PEOPLE]),
    help="Say that you have seen to this in Stripe's Dashboard.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@for_people
def mode(
    mode: str | None,
    organization: str | None,
    account: str | None,
    is_enforced: bool | None,
    settle: str | None,
    yes: bool,
) -> None:
    """Show who retries, or switch it: observe (Stripe retries) or drive (Recoup does)."""
    context = open_context()
    tenant = find_organization(context, organization)
    with context.database.organization(tenant.id) as session:
        rows = list(session.scalars(select(Connection).order_by(Connection.created_at)))
        row = one_of(rows, tenant, account)
        if settle:
            conflicts.settle(session, row.id, [ConflictKind(settle)], context.clock.now(), BY.name)
        concerned = preview(session, row.id)
        standing = conflicts.standing(session, row)
    wanted = None if is_enforced is None else Enforcement.ENFORCE if is_enforced else Enforcement.WARN
    if mode is None and wanted is None:
        click.echo(f"{row.account_id}: {row.mode} ({row.enforcement}), {concerned.total()} open cases")
        for one in standing:
            click.echo(f"- {one.title}. {one.detail} {one.advice}")
        return
    told = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in concerned.items()) or "none"
    if not yes:
        click.confirm(f"{row.account_id} is on {row.mode}. Open cases that follow: {told}. Switch?", abort=True)
    done = switch(context, tenant.id, row.id, BY, mode=ConnectionMode(mode) if mode else None, enforcement=wanted)
    click.echo(f"Switched; {done.cases} open cases follow." if done.is_changed else "It was set like this already.")


def one_of(rows: list[Connection], tenant: Organization, account: str | None) -> Connection:
    """The connection that `account` names, or the only one; raises `ConnectionUnclear`."""
    chosen = [row for row in rows if account in (None, row.account_id) or _is_id(row.id, account)]
    if len(chosen) == 1:
        return chosen[0]
    if not rows:
        raise ConnectionUnclear(f"{tenant.slug} has no Stripe account; run `recoup connect --key rk_…`")
    names = ", ".join(f"{row.account_id} ({row.id}, {'live' if row.livemode else 'test'})" for row in rows)
    raise ConnectionUnclear(f"name one with --account: {names}")


def _is_id(connection_id: UUID, given: str | None) -> bool:
    return str(connection_id) == given
