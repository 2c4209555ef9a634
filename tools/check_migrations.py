"""Migrations are one line without branches, go up, down and up again, and end at what the records declare."""

import sys

from alembic import command
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from app.embedded import temporary_services
from app.schema import MIGRATIONS, alembic_config


def main() -> int:
    heads = ScriptDirectory(str(MIGRATIONS)).get_heads()
    if len(heads) != 1:
        print(f"the migrations have {len(heads)} ends: {', '.join(heads)}")
        return 1
    with temporary_services() as services:
        config = alembic_config(services.database_url.replace("postgresql://", "postgresql+psycopg://"))
        try:
            command.upgrade(config, "head")
            command.downgrade(config, "base")
            command.upgrade(config, "head")
            command.check(config)
        except CommandError as problem:
            print(f"migrations: {problem}")
            return 1
    print(f"migrations: linear up to {heads[0]}, reversible, and equal to the records")
    return 0


if __name__ == "__main__":
    sys.exit(main())
