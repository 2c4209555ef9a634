"""Bringing a database to the newest schema. Safe to run by several processes at once: an advisory lock lets one in."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def alembic_config(database_url: str) -> Config:
    """Alembic's configuration for one database, with no ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def upgrade(database_url: str) -> None:
    """Apply every migration that is missing."""
    command.upgrade(alembic_config(database_url), "head")


def newest_revision() -> str | None:
    """The revision that this program expects."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def is_current(database_url: str) -> bool:
    """Whether the database is at the revision that this program expects."""
    return current_revision(database_url) == newest_revision()


def current_revision(database_url: str) -> str | None:
    """The revision that the database is at; None for an empty one."""
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
