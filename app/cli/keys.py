"""`recoup keys …`: encryption keys made, and stored secrets moved to the newest one."""

import click
from sqlalchemy import select

from app.cli.common import for_people, open_context
from app.crypto import generate_key
from app.models import Connection

SEALED = ("api_key", "webhook_secrets")


@click.group("keys")
def keys() -> None:
    """The keys that seal stored secrets (RECOUP_ENCRYPTION_KEYS)."""


@keys.command("generate")
@click.argument("key_id")
@for_people
def generate(key_id: str) -> None:
    """Print a new key named KEY_ID; put it first in RECOUP_ENCRYPTION_KEYS, then run `recoup keys rotate`."""
    click.echo(generate_key(key_id))


@keys.command("rotate")
@for_people
def rotate() -> None:
    """Seal every stored secret anew with the first key; the old keys are then no longer needed."""
    context = open_context()
    moved = 0
    with context.database.system() as session:
        for row in session.scalars(select(Connection).with_for_update()):
            for name in SEALED:
                sealed = getattr(row, f"sealed_{name}")
                if not context.keys.is_newest(sealed):
                    secret = context.keys.open(sealed, row.context(name))
                    setattr(row, f"sealed_{name}", context.keys.seal(secret, row.context(name)))
                    moved += 1
    click.echo(f"{moved} secret(s) now use key {context.keys.newest}.")
