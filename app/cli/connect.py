"""`recoup connect`: connect a Stripe account by its restricted key."""

import click

from app.accounts import users
from app.accounts.connections import keep_account, keep_publishable_key, look_at_account, make_gateway
from app.cli.common import find_organization, for_people, open_context
from app.context import Context
from app.models import Organization
from app.recovery.campaigns import add_defaults
from app.recovery.operator import Person
from app.recovery.switching import switch
from app.vocabulary import ConnectionMode

BY = Person("command line")


@click.command("connect")
@click.option(
    "--key", required=True, metavar="rk_…", help="A restricted key (docs/operating.md lists its permissions)."
)
@click.option("--webhook-secret", metavar="whsec_…", help="Of an endpoint you made; left out, Recoup makes one.")
@click.option("--organization", metavar="SLUG", help="Whose account; made if it does not exist.")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in ConnectionMode]),
    help="observe: Stripe retries (the default of a new connection). drive: Recoup does. Left out, it stays as it is.",
)
@click.option(
    "--publishable-key",
    metavar="pk_…",
    help="For Stripe's own card form in the customer's page (docs/payment-page.md); \"\" takes it away again.",
)
@click.option(
    "--share-account", is_flag=True, help="Though another organization here is connected to the same account."
)
@for_people
def connect(
    key: str,
    webhook_secret: str | None,
    organization: str | None,
    mode: str | None,
    publishable_key: str | None,
    share_account: bool,
) -> None:
    """Connect a Stripe account, or renew the key and secret of one that is connected."""
    context = open_context()
    slug = organization or find_organization(context, None).slug
    with context.database.system() as session:
        standing = users.find_organization(session, slug)
    owner = standing.id if standing else None
    account = look_at_account(context, owner, api_key=key, webhook_secret=webhook_secret, may_share=share_account)
    # Only now, so that a key that Stripe refuses leaves no organization behind.
    tenant = ensure_organization(context, slug)
    first_mode = ConnectionMode(mode or ConnectionMode.OBSERVE)
    done = keep_account(context, tenant.id, account, mode=first_mode, actor=BY.name)
    click.echo(f"Connected. Connection: {done.connection_id}")
    click.echo(f"Webhooks go to: {done.webhook_url}" + ("" if done.made_endpoint else " (point your endpoint there)"))
    if publishable_key is not None:
        keep_publishable_key(context, tenant.id, done.connection_id, publishable_key, BY.name)
    if mode:
        switched = switch(context, tenant.id, done.connection_id, BY, mode=ConnectionMode(mode))
        if switched.is_changed:
            click.echo(f"Switched to {mode}; {switched.cases} open cases follow.")
    missing = make_gateway(context, key).missing_permissions()
    if missing:
        click.echo("The key lacks permissions: " + ", ".join(missing), err=True)


def ensure_organization(context: Context, slug: str, name: str | None = None) -> Organization:
    """The organization called `slug` with its default campaigns; made if it is not there."""
    now = context.clock.now()
    with context.database.system() as session:
        found = users.find_or_create_organization(session, slug, name, now)
    with context.database.organization(found.id) as session:
        add_defaults(session, now, BY.name)
    return found
