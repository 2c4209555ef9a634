"""`recoup sandbox …`: play with the pretend Stripe of a running installation, and turn everybody's clock."""

import re
import time
from datetime import datetime, timedelta
from typing import Any

import click
import requests
from rich.progress import Progress

from app.cli.common import for_people, open_context
from app.context import Context
from app.errors import RecoupError
from app.recovery.coming import is_at_rest, next_moment

_SPAN = re.compile(r"^(\d+(?:\.\d+)?)\s*(m|h|d|w)$")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
REST_WITHIN = 90.0  # real seconds; longer than a lease, so that work of a process that died is waited for
LOOK_EVERY = 0.05


class SandboxMissing(RecoupError):
    """The command is for a sandbox installation that is running."""


@click.group("sandbox")
def sandbox() -> None:
    """The pretend Stripe: customers, failures, outages, and the clock."""


@sandbox.command("advance")
@click.argument("span")
@for_people
def advance(span: str) -> None:
    """Turn the clock forward by SPAN (90m, 12h, 3d, 2w); whatever falls due in between happens at its moment."""
    context = _open()
    begin = context.clock.now()
    target = begin + parse_span(span)
    with Progress(transient=True) as progress:
        task = progress.add_task("Turning the clock", total=(target - begin).total_seconds())
        for moment in hops(context, target):
            progress.update(task, completed=(moment - begin).total_seconds())
    click.echo(f"It is now {context.clock.now():%Y-%m-%d %H:%M:%S} UTC.")


@sandbox.command("customer")
@click.option("--name", default="Robin Sample", show_default=True)
@click.option("--email", default="robin@example.com", show_default=True)
@click.option("--plan", default="Team", show_default=True)
@click.option("--amount", default=4900, show_default=True, help="Minor units a period.")
@click.option("--currency", default="usd", show_default=True)
@click.option("--interval", type=click.Choice(["month", "year"]), default="month", show_default=True)
@click.option("--country", help="ISO 3166 alpha-2, such as DE.")
@click.option("--timezone", help="IANA name, such as Europe/Berlin.")
@click.option("--locale", help="BCP 47, such as de-DE.")
@click.option("--card", default="pm_card_visa", show_default=True, help="A Stripe test card.")
@for_people
def customer(**wanted: Any) -> None:
    """A new customer with a card and a paid subscription."""
    made = ask_sandbox(_open(), "POST", "customers", {key: value for key, value in wanted.items() if value is not None})
    click.echo(f"{made['customer']} subscribed ({made['subscription']}).")


@sandbox.command("customers")
@for_people
def customers() -> None:
    """Customers whose renewals can be made to fail."""
    context = _open()
    url = f"{context.settings.require('stripe_api_base')}/v1/subscriptions"
    answer = requests.get(f"{url}?limit=100&expand[]=data.customer", auth=("rk_test_sandbox", ""), timeout=30)
    for row in answer.json()["data"]:
        click.echo(f"{row['customer']['id']}  {row['status']:<10}  {row['customer']['name']}")


@sandbox.command("fail")
@click.option(
    "--customer", "customer_id", required=True, metavar="cus_…", help="`recoup sandbox customers` lists them."
)
@click.option("--decline-code", default="insufficient_funds", show_default=True)
@click.option("--then", "later", multiple=True, help="What later tries answer, in order: a decline code or approve.")
@for_people
def fail(customer_id: str, decline_code: str, later: tuple[str, ...]) -> None:
    """Make a customer's renewal happen and fail, now."""
    done = ask_sandbox(_open(), "POST", "fail", {"customer": customer_id, "script": [decline_code, *later]})
    click.echo(f"{done['invoice']} failed with {decline_code}.")


@sandbox.command("outage")
@click.option("--minutes", default=60, show_default=True)
@for_people
def outage(minutes: int) -> None:
    """No issuer answers for a while."""
    ask_sandbox(_open(), "POST", "outage", {"minutes": minutes})
    click.echo(f"Issuers are away for {minutes} minutes.")


def parse_span(span: str) -> timedelta:
    """A span of time as people write it: `90m`, `12h`, `3d`, `2w`; raises a usage error."""
    found = _SPAN.match(span.strip().lower())
    if found is None:
        raise click.UsageError(f"{span!r} is no span of time; write 90m, 12h, 3d or 2w")
    return timedelta(**{_UNITS[found[2]]: float(found[1])})


def hops(context: Context, target: datetime) -> Any:
    """Turn the clock to `target`, stopping wherever the sandbox or Recoup has something due; yields each stop."""
    while True:
        _rest(context)
        theirs = ask_sandbox(context, "GET", "clock", None)["next_event_at"]
        moments = [next_moment(context), datetime.fromisoformat(theirs) if theirs else None]
        coming = min((moment for moment in moments if moment), default=target)
        if coming >= target:
            break
        if coming > context.clock.now():
            ask_sandbox(context, "POST", "clock", {"to": coming.isoformat()})
        yield coming
    if target > context.clock.now():
        ask_sandbox(context, "POST", "clock", {"to": target.isoformat()})
    _rest(context)
    yield target


def _rest(context: Context) -> None:
    """Wait until webhooks are delivered and nothing due is left; raises `SandboxMissing` when nobody works."""
    deadline = time.monotonic() + REST_WITHIN
    while time.monotonic() < deadline:
        if not ask_sandbox(context, "GET", "clock", None)["pending_deliveries"] and is_at_rest(context):
            return
        time.sleep(LOOK_EVERY)
    raise SandboxMissing("Recoup does not finish what is due; is it running (make run), and what does its log say?")


def _open() -> Context:
    context = open_context()
    if not context.settings.sandbox:
        raise SandboxMissing("this installation has no sandbox; start one with `make run`")
    return context


def ask_sandbox(context: Context, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    """Ask the sandbox's control API; raises `SandboxMissing` with its own words where it refuses."""
    url = f"{context.settings.require('stripe_api_base')}/_sandbox/{path}"
    try:
        answer = requests.request(method, url, json=body, timeout=120)
    except requests.RequestException as problem:
        raise SandboxMissing("the sandbox does not answer; is Recoup running (make run)?") from problem
    if not answer.ok:
        raise SandboxMissing(_refusal(answer))
    found: dict[str, Any] = answer.json()
    return found


def _refusal(answer: requests.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"the sandbox refused ({answer.status_code})"
