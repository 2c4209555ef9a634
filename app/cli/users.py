"""`recoup users`: people who may sign in to the console."""

import sys

import click

from app.accounts import users as accounts
from app.accounts.passwords import make_password
from app.cli.common import find_organization, for_people, open_context
from app.cli.connect import ensure_organization
from app.vocabulary import Role


@click.group("users")
def users() -> None:
    """Create people, give them new passwords, shut them out."""


@users.command("create")
@click.option("--email", required=True, help="What the person signs in with.")
@click.option("--name", default="", help="As colleagues see it; the address' first part if left out.")
@click.option("--organization", metavar="SLUG", help="Whose member; made if it does not exist.")
@click.option("--organization-name", metavar="NAME", help="For an organization that is made now.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    default=Role.OWNER.value,
    show_default=True,
    help="An analyst reads everything and changes nothing.",
)
@for_people
def create(email: str, name: str, organization: str | None, organization_name: str | None, role: str) -> None:
    """Create a person, or make one that exists a member of another organization."""
    context = open_context()
    address = accounts.normal_email(email)
    slug = organization or find_organization(context, None).slug
    accounts.check_slug(slug)
    now = context.clock.now()
    with context.database.system() as session:
        is_new = accounts.find_user(session, address) is None
    password, is_made = ask_password() if is_new else ("", False)
    with context.database.system() as session:
        user = accounts.find_user(session, address) or accounts.create_user(session, address, name, password, now)
        tenant = accounts.find_or_create_organization(session, slug, organization_name, now)
        accounts.add_member(session, tenant, user, Role(role), now)
    ensure_organization(context, slug)
    click.echo(f"{user.name} is now {role} of {tenant.slug}. Sign in: {context.settings.base_url()}/sign-in")
    if is_made:
        click.echo(f"Password, shown only now: {password}")
    elif not is_new:
        click.echo("The password stays as it was.")


@users.command("password")
@click.option("--email", required=True)
@for_people
def password(email: str) -> None:
    """Give a person a new password; they are signed out everywhere."""
    context = open_context()
    with context.database.system() as session:
        accounts.get_user(session, email)
    chosen, is_made = ask_password()
    with context.database.system() as session:
        accounts.set_password(session, accounts.get_user(session, email), chosen)
    click.echo(f"New password, shown only now: {chosen}" if is_made else "The password is changed.")


@users.command("disable")
@click.option("--email", required=True)
@for_people
def disable(email: str) -> None:
    """Shut a person out of every organization, at once."""
    context = open_context()
    with context.database.system() as session:
        accounts.disable(session, accounts.get_user(session, email), context.clock.now())
    click.echo("This person can no longer sign in.")


def ask_password() -> tuple[str, bool]:
    """A password typed twice at a terminal, or one made up where none is typed; and whether it was made up."""
    typed = ""
    if sys.stdin.isatty():
        typed = click.prompt(
            "Password (empty: one is made up)",
            default="",
            hide_input=True,
            show_default=False,
            confirmation_prompt=True,
        )
    return (typed, False) if typed else (make_password(), True)
