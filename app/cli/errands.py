"""What `recoup reconcile` and `recoup backfill` share: choosing accounts, showing progress, waiting for an end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import select

from app.cli.common import find_organization
from app.context import Context
from app.errors import RecoupError
from app.inbox.errands import running
from app.inbox.errands.running import Standing
from app.inbox.errands.walk import Walk
from app.models import Connection
from app.vocabulary import ConnectionStatus

Say = Callable[[Walk], None]
LONGEST_NAP = 30.0  # seconds
_POLL = 0.5  # seconds


class ConnectionUnclear(RecoupError):
    """No connection fits what was asked for."""


def choose_connections(context: Context, slug: str | None, wanted: str | None) -> list[Connection]:
    """The connections of an organization, or the one whose id or account is `wanted`; raises `ConnectionUnclear`."""
    organization = find_organization(context, slug)
    with context.database.organization(organization.id) as session:
        found = list(session.scalars(select(Connection).order_by(Connection.created_at)))
    chosen = [row for row in found if wanted in (None, str(row.id), row.account_id)]
    usable = [row for row in chosen if row.status is not ConnectionStatus.DISCONNECTED]
    if usable:
        return usable
    if not found:
        raise ConnectionUnclear("no Stripe account is connected: run `recoup connect --key rk_…`")
    raise ConnectionUnclear(f"no connected account fits; there are {', '.join(row.account_id for row in found)}")


@contextmanager
def shown(words: str, *, is_quiet: bool) -> Iterator[Say]:
    """A line on the terminal's error stream that tells how far an errand is."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=is_quiet,
        transient=True,
    ) as progress:
        task = progress.add_task(words, total=None, figures="")
        yield lambda walk: progress.update(task, figures=figures(walk.counts))


def figures(counts: dict[str, Any]) -> str:
    """Counts in one line."""
    said = [f"{value} {name.replace('_', ' ')}" for name, value in counts.items() if isinstance(value, int)]
    return ", ".join(said)


def finish(context: Context, connection: Connection, errand_id: UUID, say: Say) -> running.Progress:
    """Carry an errand on until it ends, waiting where Stripe asks for it or where a worker has it in hand."""
    while True:
        progress = running.carry_on(context, connection.organization_id, errand_id, say=say)
        if progress.standing in (Standing.DONE, Standing.FAILED):
            return progress
        time.sleep(min(progress.wait, LONGEST_NAP) if progress.standing is Standing.RESTING else _POLL)
