"""`recoup sandbox key`: secret and restricted keys of the pretend Stripe, as its dashboard would make them."""

import click

from app.cli.common import for_people, open_context
from app.cli.turning import open_sandbox


@click.command("key")
@click.option("--allow", "allowed", multiple=True, metavar="RESOURCE=read|write", help="Makes it a restricted key.")
@click.option("--name", metavar="KEY", help="Call it so, such as rk_test_mine; an existing key gets the permissions.")
@click.option("--revoke", metavar="KEY", help="Make none: end this one.")
@for_people
def key(allowed: tuple[str, ...], name: str | None, revoke: str | None) -> None:
    """A new key for the pretend Stripe; without --allow one that may do everything."""
    stripe = open_sandbox(open_context())
    if revoke:
        stripe.remove(f"keys/{revoke}")
        click.echo("The key is refused from now on.")
        return
    wish: dict[str, object] = {"permissions": dict(_permission(entry) for entry in allowed)} if allowed else {}
    made = stripe.control("keys", **wish, **({"key": name} if name else {}))
    click.echo(made["id"])


def _permission(entry: str) -> tuple[str, str]:
    resource, _, level = entry.partition("=")
    if level not in ("none", "read", "write"):
        raise click.BadParameter(f"{entry!r} is no permission, such as invoice=read", param_hint="--allow")
    return resource, level
