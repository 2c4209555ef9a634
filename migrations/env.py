"""Alembic's entry: one transaction a migration, under an advisory lock, with a short wait for table locks."""

from alembic import context
from sqlalchemy import Connection, create_engine, text

from app.db import Base
from app.models import Organization  # noqa: F401  (loads every record into the metadata)

ADVISORY_LOCK = 0x7265636F7570


def run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=Base.metadata, transaction_per_migration=True, compare_type=True
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        run(given)
        return
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "")
    with engine.connect() as connection:
        connection.execute(text("set lock_timeout = '10s'"))
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()
        run(connection)
        connection.commit()
    engine.dispose()


main()
