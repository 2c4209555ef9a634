"""`recoup sandbox …`: play with the pretend Stripe of a running installation, and turn everybody's clock."""

from typing import Any
from zoneinfo import available_timezones

import click
from rich.progress import Progress

from app.cli.common import for_people, open_context
from app.cli.sandbox_faults import fault
from app.cli.sandbox_keys import key
from app.cli.sandbox_stories import population, story
from app.cli.turning import Sandbox, hops, open_sandbox, parse_span
from app.context import Context
from app.money import Money, format_money


@click.group("sandbox")
def sandbox() -> None:
    """The pretend Stripe: customers, failures, outages, and the clock."""


@sandbox.command("advance")
@click.argument("span")
@for_people
def advance(span: str) -> None:
    """Turn the clock forward by SPAN (90m, 12h, 3d, 2w); whatever falls due in between happens at its moment."""
    wanted = parse_span(span)
    context, stripe = _open()
    begin = context.clock.now()
    with Progress(transient=True) as progress:
        task = progress.add_task("Turning the clock", total=wanted.total_seconds())
        for moment in hops(context, stripe, begin + wanted):
            progress.update(task, completed=(moment - begin).total_seconds())
    click.echo(f"It is now {context.clock.now():%Y-%m-%d %H:%M:%S} UTC.")


def _known_zone(_context: click.Context, _parameter: click.Parameter, zone: str | None) -> str | None:
    if zone is not None and zone not in available_timezones():
        raise click.BadParameter(f"there is no time zone {zone}; write one such as Europe/Berlin")
    return zone


@sandbox.command("customer")
@click.option("--name", default="Robin Sample", show_default=True)
@click.option("--email", default="robin@example.com", show_default=True)
@click.option("--plan", default="Team", show_default=True)
@click.option("--amount", type=click.IntRange(min=1), default=4900, show_default=True, help="Minor units a period.")
@click.option("--currency", default="usd", show_default=True)
@click.option("--interval", type=click.Choice(["month", "year"]), default="month", show_default=True)
@click.option("--country", help="ISO 3166 alpha-2, such as DE.")
@click.option("--timezone", callback=_known_zone, help="IANA name, such as Europe/Berlin.")
@click.option("--locale", help="BCP 47, such as de-DE.")
@click.option("--card", help="A Stripe test card; pm_card_visa unless somebody else stands behind it.")
@click.option("--behaviour", metavar="SEGMENT", help="Whose wages and bank are behind the card, such as us_consumer.")
@click.option("--reads-mail", is_flag=True, help="They open mails, press links and give cards, or not, as people do.")
@click.option("--payer-seed", type=click.IntRange(min=0), help="Which of them; else the address decides.")
@for_people
def customer(**wanted: Any) -> None:
    """A new customer with a card and a paid subscription."""
    _, stripe = _open()
    made = stripe.control("customers", **{key: value for key, value in wanted.items() if value is not None})
    click.echo(f"{made['customer']} subscribed ({made['subscription']}).")


@sandbox.command("customers")
@for_people
def customers() -> None:
    """Customers whose renewals can be made to fail."""
    _, stripe = _open()
    rows: list[dict[str, Any]] = []
    more = True
    while more:
        after = {"starting_after": rows[-1]["id"]} if rows else {}
        page = stripe.api("GET", "subscriptions", limit="100", **{"expand[]": "data.customer"}, **after)
        rows, more = rows + page["data"], page["has_more"]
    for row in rows:
        price = row["items"]["data"][0]["price"]
        amount = format_money(Money(price["unit_amount"], price["currency"]))
        owner = row["customer"]
        click.echo(f"{owner['id']}  {row['status']:<10}  {amount:>10}  {owner['name']}")


@sandbox.command("fail")
@click.option(
    "--customer", "customer_id", required=True, metavar="cus_…", help="`recoup sandbox customers` lists them."
)
@click.option("--subscription", metavar="sub_…", help="Which one renews, if they have several; else the newest.")
@click.option("--decline-code", default="insufficient_funds", show_default=True)
@click.option("--then", "later", multiple=True, help="What later tries answer, in order: a decline code or approve.")
@for_people
def fail(customer_id: str, subscription: str | None, decline_code: str, later: tuple[str, ...]) -> None:
    """Make a customer's renewal happen and fail, now."""
    _, stripe = _open()
    done = stripe.control("fail", customer=customer_id, subscription=subscription, script=[decline_code, *later])
    click.echo(f"{done['invoice']} failed with {decline_code}.")


@sandbox.command("outage")
@click.option("--minutes", type=click.IntRange(1, 43_200), default=60, show_default=True)
@click.option("--share", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True)
@click.option("--end", is_flag=True, help="End the present outage.")
@for_people
def outage(minutes: int, share: float, end: bool) -> None:
    """No issuer answers for a while, or a share of them."""
    _, stripe = _open()
    if end:
        stripe.remove("outage")
        click.echo("All issuers answer.")
        return
    stripe.control("outage", minutes=minutes, share=share)
    click.echo(f"{'All issuers' if share == 1 else f'{share:.0%} of issuers'} are away for {minutes} minutes.")


def _open() -> tuple[Context, Sandbox]:
    context = open_context()
    return context, open_sandbox(context)


for _command in (fault, key, story, population):
    sandbox.add_command(_command)
