"""`recoup doctor`: looks at an installation from outside and says what is wrong and what to do about it."""

from collections.abc import Iterator
from datetime import timedelta

import click
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app import log, schema
from app.accounts import conflicts
from app.accounts.mending import Looked, find_problem, look_again
from app.cli import doctor_mail
from app.cli.common import for_people
from app.cli.findings import Finding
from app.context import Context, make_context
from app.crypto import KeyRingInvalid
from app.errors import RecoupError
from app.inbox.errands import looking
from app.installation import complete, missing
from app.models import Connection, InboxEvent, Step
from app.outcomes.refusals import cases_refused
from app.settings import Settings
from app.vocabulary import ConnectionStatus, ErrandKind, ErrandState, InboxState, StepState

BY = "command line"
REFUSED_WITHIN = timedelta(days=14)
HOW_TO_SET = {
    "DATABASE_URL": "the address of your PostgreSQL; or start Recoup here with `make run`, which brings its own",
    "REDIS_URL": "the address of your Redis or Valkey; `make run` brings its own",
    "RECOUP_SECRET_KEY": "40 random characters or more, the same for every process, kept for ever",
    "RECOUP_ENCRYPTION_KEYS": "`recoup keys generate 2026a` prints one; keep it apart from the database's backups",
}


@click.command("doctor")
@for_people
def doctor() -> None:
    """Check settings, services, Stripe connections and mail; exits with 1 where something needs a person."""
    log.configure("cli")
    settings = complete(Settings())
    findings = [*_settings(settings), _public_address(settings), _proxies(settings), doctor_mail.way_out(settings)]
    findings += _services(settings)
    for finding in findings:
        click.echo(f"{_mark(finding)}  {finding.what}: {finding.detail}")
    raise SystemExit(0 if all(finding.is_fine for finding in findings) else 1)


def _mark(finding: Finding) -> str:
    if finding.is_note:
        return click.style("note", fg="yellow")
    return click.style("ok  ", fg="green") if finding.is_fine else click.style("look", fg="red")


def _settings(settings: Settings) -> Iterator[Finding]:
    """Everything that is missing, at once."""
    for variable in missing(settings):
        yield Finding(variable, False, f"is not set: {HOW_TO_SET[variable]}")


def _services(settings: Settings) -> Iterator[Finding]:
    """What can only be looked at where all settings are there, and then what only a database of today can tell."""
    if missing(settings):
        return
    try:
        context = make_context(settings)
    except KeyRingInvalid as problem:
        yield Finding("RECOUP_ENCRYPTION_KEYS", False, str(problem))
        return
    is_there = context.bell.is_reachable()
    yield Finding("Redis", is_there, "answers" if is_there else "is away; work goes on slowly, found by the clock")
    database = _database(settings)
    yield database
    if database.is_fine:
        yield from _connections(context)
        yield from _backlog(context)
        yield from doctor_mail.sending_domains(context)


def _database(settings: Settings) -> Finding:
    try:
        at = schema.current_revision(settings.require("database_url"))
    except SQLAlchemyError as problem:
        return Finding("Postgres", False, f"cannot be reached ({type(problem).__name__}); check DATABASE_URL")
    newest = schema.newest_revision()
    if at == newest:
        return Finding("Postgres", True, f"at {at}")
    return Finding("Postgres", False, f"{f'at {at}, not {newest}' if at else 'is empty'}: run `recoup migrate`")


def _public_address(settings: Settings) -> Finding:
    url = settings.base_url()
    is_fine = url.startswith("https://") or settings.sandbox
    advice = "" if is_fine else " (Stripe and customers need https: set RECOUP_PUBLIC_URL)"
    return Finding("Public address", is_fine, url + advice)


def _proxies(settings: Settings) -> Finding:
    """Recoup speaks no TLS itself, so an https address means that a proxy stands before it."""
    count = settings.trusted_proxies
    if count or settings.sandbox or not settings.base_url().startswith("https://"):
        return Finding("Proxies", True, f"{count} believed about where visitors come from")
    return Finding(
        "Proxies",
        False,
        "RECOUP_TRUSTED_PROXIES is 0, so all visitors seem to come from the proxy and share one limit of failed"
        " sign-ins and page views; set it to the number of proxies before Recoup",
    )


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
    was_broken = row.status is ConnectionStatus.BROKEN
    try:
        looked = look_again(context, row, BY) if was_broken else Looked(False, find_problem(context, row))
    except RecoupError as trouble:
        return Finding(what, False, str(trouble))
    mended = ", again: the connection was broken, and goes on now" if was_broken and not looked.is_broken else ""
    if looked.problem:
        again = ". Looked at again every hour; `recoup connect` takes another key" if looked.is_broken else mended
        return Finding(what, False, f"{looked.problem}{again}")
    if row.status is ConnectionStatus.DISCONNECTED:
        return Finding(what, False, f"{row.status}: {row.status_reason}. `recoup connect` connects it again")
    return Finding(what, True, f"the key opens what is needed{mended}")


def _conflicts(context: Context, row: Connection) -> Iterator[Finding]:
    """Who else works on the same payments, and what to click about it."""
    with context.database.organization(row.organization_id) as session:
        found = conflicts.standing(session, row)
        again = conflicts.recurring(session, row, context.clock.now())
    if again:
        last = f"the last on {again.last:%Y-%m-%d}"
        yield Finding(f"Stripe {row.account_id}: {again.title}", True, f"{last}. {again.advice}", is_note=True)
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
        refused = len(cases_refused(session, now - REFUSED_WITHIN))
        late = session.scalar(select(func.min(Step.due_at)).where(Step.state == StepState.PLANNED, Step.due_at <= now))
    yield Finding("Parked webhooks", not parked, f"{parked}" + (": see `recoup inbox parked`" if parked else ""))
    if refused:
        advice = "see Needs attention in the console; often a campaign names a price that does not exist"
        yield Finding("Final actions", False, f"{refused} refused by Stripe in two weeks: {advice}")
    seconds = (now - late).total_seconds() if late else 0
    is_fine = seconds < 120
    yield Finding("Work", is_fine, "is up to date" if is_fine else f"is {seconds:.0f} s late: do worker and clock run?")
