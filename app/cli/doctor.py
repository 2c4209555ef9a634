"""`recoup doctor`: looks at an installation from outside and says what is wrong and what to do about it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app import schema
from app.accounts import conflicts
from app.accounts.connections import gateway_for
from app.cli.common import for_people, open_context
from app.context import Context
from app.errors import RecoupError
from app.inbox.errands import looking
from app.messages.senders.choice import sender_for
from app.models import Connection, InboxEvent, Step
from app.stripe_gateway.errors import GatewayError
from app.vocabulary import ConnectionStatus, ErrandKind, ErrandState, InboxState, StepState


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine or not, and what was seen or is to be done."""

    what: str
    is_fine: bool
    detail: str


@click.command("doctor")
@for_people
def doctor() -> None:
    """Check settings, services, Stripe connections and mail; exits with 1 where something needs a person."""
    context = open_context()
    findings = list(_examine(context))
    for finding in findings:
        mark = click.style("ok  ", fg="green") if finding.is_fine else click.style("look", fg="red")
        click.echo(f"{mark}  {finding.what}: {finding.detail}")
    raise SystemExit(0 if all(finding.is_fine for finding in findings) else 1)


def _examine(context: Context) -> Iterator[Finding]:
    yield from _database(context)
    is_there = context.bell.is_reachable()
    yield Finding("Redis", is_there, "answers" if is_there else "is away; work goes on slowly, found by the clock")
    yield _public_url(context)
    yield _guarded("Mail", lambda: f"leaves through {type(sender_for(context.settings)).__name__}")
    yield from _connections(context)
    yield from _backlog(context)


def _database(context: Context) -> Iterator[Finding]:
    try:
        at = schema.current_revision(context.settings.require("database_url"))
    except SQLAlchemyError as problem:
        yield Finding("Postgres", False, f"cannot be reached ({type(problem).__name__}); check DATABASE_URL")
        return
    newest = schema.newest_revision()
    is_current = at == newest
    yield Finding("Postgres", is_current, f"at {at}" if is_current else f"at {at}, not {newest}: run `recoup migrate`")


def _public_url(context: Context) -> Finding:
    url = context.settings.base_url()
    is_fine = url.startswith("https://") or context.settings.sandbox
    advice = "" if is_fine else " (Stripe and customers need https: set RECOUP_PUBLIC_URL)"
    return Finding("Public address", is_fine, url + advice)


def _connections(context: Context) -> Iterator[Finding]:
    with context.database.system() as session:
        rows = list(session.scalars(select(Connection).order_by(Connection.created_at)))
    if not rows:
        yield Finding("Stripe", False, "no account is connected: run `recoup connect --key rk_…`")
    for row in rows:
        yield _connection(context, row)
        yield from _catching_up(context, row)
        yield from _conflicts(context, row)


def _connection(context: Context, row: Connection) -> Finding:
    what = f"Stripe {row.account_id} ({row.mode}, {'live' if row.livemode else 'test'})"
    try:
        missing = gateway_for(context, row).missing_permissions()
    except (GatewayError, RecoupError) as problem:
        return Finding(what, False, str(problem))
    if missing:
        return Finding(what, False, "the key lacks " + ", ".join(missing))
    if row.status is not ConnectionStatus.ACTIVE:
        return Finding(what, False, f"{row.status}: {row.status_reason}")
    return Finding(what, True, "the key opens what is needed")


def _conflicts(context: Context, row: Connection) -> Iterator[Finding]:
    """Who else works on the same payments, and what to click about it."""
    with context.database.organization(row.organization_id) as session:
        found = conflicts.standing(session, row)
    for one in found:
        settled = f" (`recoup mode --settle {one.kind}`)" if one.is_for_people else ""
        yield Finding(f"Stripe {row.account_id}: {one.title}", False, f"{one.detail} {one.advice}{settled}")


def _catching_up(context: Context, row: Connection) -> Iterator[Finding]:
    """Whether what was missed is being looked for, and what the last look said about the endpoint."""
    what = f"Stripe {row.account_id}: what was missed"
    with context.database.organization(row.organization_id) as session:
        look = looking.newest(session, ErrandKind.RECONCILE, row.id).get(row.id)
        trouble = looking.endpoint_trouble(session).get(row.id)
    if trouble:
        yield Finding(f"Stripe {row.account_id}: endpoint", False, f"{trouble.why} {trouble.outcome}")
    if look is None:
        yield Finding(what, True, "was not looked for yet; the clock does, or `recoup reconcile`")
    elif look.state is ErrandState.FAILED:
        yield Finding(what, False, f"the last look ended early: {look.problem}")
    else:
        age = (context.clock.now() - look.started_at).total_seconds() / 3600
        is_fresh = age < 3 or context.settings.sandbox
        found = look.counts.get("found", 0)
        yield Finding(what, is_fresh, f"last looked for {age:.1f} h ago, {found} found: `recoup reconcile` says more")


def _backlog(context: Context) -> Iterator[Finding]:
    now = context.clock.now()
    with context.database.system() as session:
        parked = session.scalar(select(func.count()).where(InboxEvent.state == InboxState.PARKED)) or 0
        late = session.scalar(select(func.min(Step.due_at)).where(Step.state == StepState.PLANNED, Step.due_at <= now))
    yield Finding("Parked webhooks", not parked, f"{parked}" + (": see `recoup inbox parked`" if parked else ""))
    seconds = (now - late).total_seconds() if late else 0
    is_fine = seconds < 120
    yield Finding("Work", is_fine, "is up to date" if is_fine else f"is {seconds:.0f} s late: do worker and clock run?")


def _guarded(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except RecoupError as problem:
        return Finding(what, False, str(problem))
