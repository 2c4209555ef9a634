"""`recoup sandbox story` and `population`: common stories of failed payments, and crowds that behave by themselves."""

from typing import Any

import click

from app.cli.common import for_people, open_context
from app.cli.turning import Sandbox, open_sandbox


@click.command("story")
@click.argument("name", required=False)
@for_people
def story(name: str | None) -> None:
    """Begin the story NAME: somebody's renewal fails now. Without a name, lists the stories."""
    stripe = _open()
    if name is None:
        for told in stripe.read("stories")["stories"]:
            click.echo(f"{told['name']:<19} {told['tells']}")
        return
    begun = stripe.control(f"stories/{name}")
    for entry in begun["customers"]:
        click.echo(f"{entry['invoice']} of {entry['name']} ({entry['customer']}) failed.")


@click.command("population")
@click.option("--customers", type=click.IntRange(1, 2000), default=100, show_default=True)
@click.option(
    "--behaviour", "behaviours", multiple=True, metavar="SEGMENT[=WEIGHT]", help="Whose wages and banks; repeatable."
)
@click.option("--number", type=int, default=7, show_default=True, help="The same number makes the same people.")
@click.option("--within", "within_days", type=click.IntRange(1, 30), default=28, show_default=True, help="Days.")
@click.option("--read-mail", is_flag=True, help="They open mails, press links and give cards, or not, as people do.")
@click.option("--behaviours", "is_list", is_flag=True, help="List the segments there are.")
@for_people
def population(behaviours: tuple[str, ...], is_list: bool, **wanted: Any) -> None:
    """Customers with wages and banks of their own, whose renewals come within days and fail or not by themselves."""
    stripe = _open()
    if is_list:
        for name, title in stripe.read("behaviours")["behaviours"].items():
            click.echo(f"{name:<18} {title}")
        return
    weights = dict(_weighted(entry) for entry in behaviours) or {"us_consumer": 1.0}
    made = stripe.control("population", behaviours=weights, **wanted)["customers"]
    click.echo(f"{len(made)} customers; their renewals come within {wanted['within_days']} days.")


def _weighted(entry: str) -> tuple[str, float]:
    name, _, weight = entry.partition("=")
    try:
        return name, float(weight or 1)
    except ValueError:
        raise click.BadParameter(f"{entry!r} is no segment with a weight, such as uk_eu=0.5") from None


def _open() -> Sandbox:
    return open_sandbox(open_context())
