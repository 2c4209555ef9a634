"""`recoup sandbox fault …`: trouble between the pretend Stripe and Recoup, switched on, listed and switched off."""

from datetime import UTC, datetime
from typing import Any

import click

from app.cli.common import for_people, open_context
from app.cli.turning import Sandbox, open_sandbox


@click.group("fault")
def fault() -> None:
    """Webhooks that go astray, Stripe's errors, slowness and cut connections."""


@fault.command("kinds")
@for_people
def kinds() -> None:
    """What can be switched on."""
    found = _open().read("faults/kinds")["kinds"]
    for kind, words in found.items():
        click.echo(f"{kind:<16}  {words}")


@fault.command("add")
@click.argument("kind")
@click.option(
    "--rate", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="How probable."
)
@click.option("--count", type=click.IntRange(min=1), help="So many times at most.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="For so long, by the sandbox's clock.")
@click.option("--path", default="", help="Only where the request's path, or the event's type, has this in it.")
@click.option("--method", type=click.Choice(["GET", "POST", "DELETE"]), help="Only such requests.")
@click.option("--seconds", type=click.FloatRange(min=0), help="How slow, or how late.")
@click.option("--seed", type=int, help="The same seed strikes in the same way.")
@for_people
def add(**wanted: Any) -> None:
    """Switch a KIND of trouble on (`recoup sandbox fault kinds` lists them)."""
    given = {name: value for name, value in wanted.items() if value is not None}
    done = _open().control("faults", **given)
    click.echo(f"{done['added']} is on; `recoup sandbox fault clear {done['added']}` ends it.")


@fault.command("list")
@for_people
def list_all() -> None:
    """What is switched on, and how often it has struck."""
    found = _open().read("faults")
    for entry in found["faults"]:
        click.echo(f"{entry['id']:<9}  {entry['kind']:<16}  struck {entry['struck']:>4}  {_terms(entry)}")
    if found["issuers_away_until"]:
        click.echo(f"Issuers are away until {_moment(found['issuers_away_until'])} UTC.")
    if not found["faults"] and not found["issuers_away_until"]:
        click.echo("All is calm.")


@fault.command("clear")
@click.argument("faults", nargs=-1)
@for_people
def clear(faults: tuple[str, ...]) -> None:
    """Switch off the FAULTS named, or all of them."""
    stripe = _open()
    for identifier in faults:
        stripe.remove(f"faults/{identifier}")
    if not faults:
        stripe.remove("faults")
    click.echo("Switched off." if faults else "All is calm.")


def _terms(entry: dict[str, Any]) -> str:
    """Under what conditions it strikes, in words."""
    until = entry["until"] and f"until {_moment(entry['until'])} UTC"
    words = (
        f"{entry['rate']:.0%} of the time" if entry["rate"] < 1 else "always",
        entry["count"] and f"{entry['count']} more",
        until,
        entry["path"] and f"only {entry['path']}",
        entry["method"],
        entry["seconds"] is not None and f"{entry['seconds']:g} s",
    )
    return ", ".join(str(word) for word in words if word)


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _open() -> Sandbox:
    return open_sandbox(open_context())
