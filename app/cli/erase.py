"""`recoup erase-customer`: forget one customer for good, as a person may ask a business to."""

import click
from sqlalchemy import select

from app.cli.common import find_organization, for_people, open_context
from app.cli.mode import one_of
from app.models import Connection
from app.recovery.erasing import erase
from app.recovery.operator import Person

BY = Person("command line")


@click.command("erase-customer")
@click.argument("customer", metavar="cus_…")
@click.option("--organization", metavar="SLUG", help="Whose customer; not needed where there is one organization.")
@click.option("--account", metavar="acct_…", help="Of which Stripe account; not needed where there is one.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@for_people
def erase_customer(customer: str, organization: str | None, account: str | None, yes: bool) -> None:
    """Forget a customer: cases, mails, copies of invoices, subscriptions and cards, the past before Recoup.

    Delete them at Stripe first, or they come back with the next news. Reports count nothing of them any more.
    """
    context = open_context()
    tenant = find_organization(context, organization)
    if not yes:
        click.confirm(f"Forget {customer} of {tenant.slug}? It cannot be taken back.", abort=True)
    with context.database.organization(tenant.id) as session:
        connection = one_of(list(session.scalars(select(Connection).order_by(Connection.created_at))), tenant, account)
        done = erase(session, connection, customer, BY, context.clock.now())
    click.echo(
        f"Forgotten: {done.cases} cases, {done.copies} copies of Stripe's objects, {done.past_failures} past failures,"
        f" {done.past_attempts} past charges, what {done.events} events said."
    )
