"""`recoup inbox …`: webhooks that could not be handled, and another try for them."""

import click
from sqlalchemy import select

from app.bell import Urgency
from app.cli.common import find_organization, for_people, many, open_context
from app.inbox import processing
from app.inbox.processing import LARGEST_ID
from app.models import InboxEvent
from app.vocabulary import InboxState


@click.group("inbox")
def inbox() -> None:
    """Webhooks that were kept but could not be handled."""


@inbox.command("parked")
@click.option("--organization", metavar="SLUG")
@for_people
def parked(organization: str | None) -> None:
    """List parked events with the reason."""
    context = open_context()
    tenant = find_organization(context, organization)
    with context.database.organization(tenant.id) as session:
        query = select(InboxEvent).where(InboxEvent.state == InboxState.PARKED).order_by(InboxEvent.id)
        rows = list(session.scalars(query))
    for row in rows:
        click.echo(f"{row.id}  {row.event_id}  {row.type}  {row.problem}")
    click.echo(f"{many(len(rows), 'parked event')}.")


@inbox.command("replay")
@click.argument("row_id", type=click.IntRange(1, LARGEST_ID))
@click.option("--organization", metavar="SLUG")
@for_people
def replay(row_id: int, organization: str | None) -> None:
    """Give a parked event another try; ROW_ID is the first column of `parked`."""
    context = open_context()
    tenant = find_organization(context, organization)
    processing.replay(context, tenant.id, row_id, actor="command line")
    context.bell.ring("drain_inbox", urgency=Urgency.NOW)
    click.echo("It is handled again now.")
