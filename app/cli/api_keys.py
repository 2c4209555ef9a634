"""`recoup keys create|list|revoke`: keys to the JSON API, from the command line."""

from datetime import timedelta
from typing import Any

import click
import orjson

from app.accounts import api_keys
from app.accounts.api_keys import Actor, KeyUnknown
from app.cli.common import find_organization, for_people, open_context
from app.clock import SystemClock
from app.models import ApiKey
from app.vocabulary import ApiScope

BY = Actor("command line")
_ORGANIZATION = click.option("--organization", metavar="SLUG", help="Whose; needed where there are several.")
_JSON = click.option("--json", "as_json", is_flag=True, help="For a program to read.")


@click.command("create")
@click.argument("name")
@_ORGANIZATION
@click.option("--write", is_flag=True, help="May also hand out payment links and show the embedded notice.")
@click.option("--days", type=click.IntRange(1, 3650), help="Ends by itself after so many days.")
@_JSON
@for_people
def create(name: str, organization: str | None, write: bool, days: int | None, as_json: bool) -> None:
    """Make an API key called NAME and print it, this once."""
    context, wall = open_context(), SystemClock().now()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        made = api_keys.create(
            session,
            context.keys,
            name=name,
            scopes=[ApiScope.READ, ApiScope.WRITE] if write else [ApiScope.READ],
            expires_at=wall + timedelta(days=days) if days else None,
            by=BY,
            now=context.clock.now(),
            wall=wall,
        )
    if as_json:
        told = {"prefix": made.row.prefix, "key": made.secret, "signing_secret": made.signing_secret}
        click.echo(orjson.dumps(told).decode())
        return
    click.echo(f"Key:            {made.secret}")
    if made.signing_secret:
        click.echo(f"Signing secret: {made.signing_secret}")
    click.echo("Keep it now: it is shown this once.", err=True)


@click.command("list")
@_ORGANIZATION
@_JSON
@for_people
def list_keys(organization: str | None, as_json: bool) -> None:
    """The API keys of an organization; their secrets are not kept and cannot be shown."""
    context, wall = open_context(), SystemClock().now()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        rows = [_told(row, api_keys.is_in_force(row, wall)) for row in api_keys.list_keys(session)]
    if as_json:
        click.echo(orjson.dumps(rows, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS).decode())
        return
    for row in rows:
        used = f"used {row['last_used_at']:%Y-%m-%d %H:%M} UTC" if row["last_used_at"] else "never used"
        state = "in force" if row["in_force"] else "over"
        click.echo(f"{row['prefix']}  {state:8}  {'+'.join(row['scopes']):10}  {used:27}  {row['name']}")
    if not rows:
        click.echo(f"{owner.name} has no API key; make one with `recoup keys create NAME`.")


@click.command("revoke")
@click.argument("prefix")
@_ORGANIZATION
@click.option("--yes", is_flag=True, help="Do not ask.")
@for_people
def revoke(prefix: str, organization: str | None, yes: bool) -> None:
    """End the API key that begins with PREFIX, at once and for good."""
    context, wall = open_context(), SystemClock().now()
    owner = find_organization(context, organization)
    with context.database.organization(owner.id) as session:
        row = next((row for row in api_keys.list_keys(session) if row.prefix == prefix.removesuffix("_")), None)
    if row is None:
        raise KeyUnknown(f"{owner.name} has no key {prefix}; `recoup keys list` shows them")
    if not yes:
        click.confirm(f"Programs that use “{row.name}” are refused from then on. Revoke it?", abort=True)
    with context.database.organization(owner.id) as session:
        is_new = api_keys.revoke(session, row.id, BY, context.clock.now(), wall)
    click.echo(f"{row.prefix} is revoked." if is_new else f"{row.prefix} was revoked before.")


def _told(row: ApiKey, in_force: bool) -> dict[str, Any]:
    names = ("prefix", "name", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at")
    return {name: getattr(row, name) for name in names} | {"in_force": in_force}
