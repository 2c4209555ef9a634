"""`recoup verify`: is everything as promised? Invariants are checked on live data, and on request Stripe's books."""

import json
from dataclasses import asdict

import click

from app.cli.common import for_people, open_context
from app.recovery.books import compare
from app.recovery.invariants import INVARIANTS, find_offences
from app.recovery.replays import find_unfaithful


@click.command("verify")
@click.option("--books", is_flag=True, help="Read every case's invoice at Stripe and compare amounts.")
@click.option("--json", "as_json", is_flag=True)
@for_people
def verify(books: bool, as_json: bool) -> None:
    """Check what must always be true; exits with 1 where something is not."""
    context = open_context()
    with context.database.system() as session:
        offences = [*find_offences(session, context.clock.now()), *find_unfaithful(session)]
    if books:
        offences += compare(context)
    if as_json:
        click.echo(json.dumps({"ok": not offences, "offences": [asdict(one) for one in offences]}, indent=2))
    else:
        for one in offences:
            click.echo(f"{one.invariant}: {one.subject}: {one.detail}")
        checked = f"{len(INVARIANTS) + 1} promises checked{' and the books' if books else ''}"
        click.echo(f"{checked}; {len(offences)} broken.")
    raise SystemExit(1 if offences else 0)
