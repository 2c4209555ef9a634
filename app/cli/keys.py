"""`recoup keys …`: encryption keys made, stored secrets moved to the newest one; and keys to the API."""

from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli import api_keys
from app.cli.common import for_people, many, open_context
from app.crypto import KeyRing, generate_key
from app.models import ApiKey, Connection

SEALED: dict[Any, tuple[str, ...]] = {Connection: ("api_key", "webhook_secrets"), ApiKey: ("signing_secret",)}


@click.group("keys")
def keys() -> None:
    """The keys that seal stored secrets (RECOUP_ENCRYPTION_KEYS): generate, rotate. Keys to the API: create, list,
    revoke."""


for command in (api_keys.create, api_keys.list_keys, api_keys.revoke):
    keys.add_command(command)


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
    with context.database.system() as session:
        moved = sum(_rotate(session, context.keys, record, names) for record, names in SEALED.items())
    click.echo(f"{many(moved, 'secret')} moved to key {context.keys.newest}.")


def _rotate(session: Session, ring: KeyRing, record: Any, names: tuple[str, ...]) -> int:
    """Seal what is sealed with an older key anew; gives how many secrets that were."""
    moved = 0
    for row in session.scalars(select(record).with_for_update()):
        for name in names:
            sealed = getattr(row, f"sealed_{name}")
            if sealed is not None and not ring.is_newest(sealed):
                secret = ring.open(sealed, row.context(name))
                setattr(row, f"sealed_{name}", ring.seal(secret, row.context(name)))
                moved += 1
    return moved
