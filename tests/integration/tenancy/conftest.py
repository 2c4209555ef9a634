"""A database in which two organizations have one hollow row in every tenant table, whatever tables there are."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import embedded
from app.db import Database
from app.schema import upgrade
from tests.services import new_database, template_database

TENANT_TABLES = """
    select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
      and a.attname = 'organization_id' and not a.attisdropped order by 1
"""
CONSTRAINTS = "select conname from pg_constraint where conrelid = %s::regclass and contype in ('c', 'f')"
OPTIONAL = """
    select a.attname from pg_attribute a
    where a.attrelid = %s::regclass and a.attnum > 0 and a.attnotnull and not a.attisdropped and a.attidentity = ''
      and a.attname <> 'organization_id'
      and not exists (
          select 1 from pg_index i where i.indrelid = a.attrelid and i.indisprimary and a.attnum = any(i.indkey))
"""
UUID_KEYS = """
    select a.attname from pg_attribute a join pg_index i on i.indrelid = a.attrelid and a.attnum = any(i.indkey)
    where a.attrelid = %s::regclass and i.indisprimary and a.attidentity = '' and a.attname <> 'organization_id'
      and a.atttypid = 'uuid'::regtype
"""


@dataclass(frozen=True)
class Tenants:
    """Two organizations, a door to their rows, and the tables as the catalogue lists them."""

    url: str
    database: Database
    mine: UUID
    theirs: UUID
    tables: tuple[str, ...]

    def catalogue(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """What the catalogue answers to the owner of all tables."""
        with psycopg.connect(self.url, autocommit=True) as owner:
            return owner.execute(query.encode(), values or None).fetchall()

    def rows_of(self, organization: UUID, table: str) -> int:
        """How many rows an organization has, as the sweeper counts them."""
        query = text(f"select count(*) from {table} where organization_id = :organization")
        with self.database.system() as session:
            return int(session.scalar(query, {"organization": organization}) or 0)


@pytest.fixture(scope="module")
def tenants(services: embedded.Services) -> Iterator[Tenants]:
    """Two organizations in a database of this file's own."""
    with new_database(services, template_database(services, upgrade)) as url:
        mine, theirs = uuid4(), uuid4()
        with psycopg.connect(url, autocommit=True) as owner:
            tables = tuple(str(row[0]) for row in owner.execute(TENANT_TABLES))
            for table in ("organizations", *tables):
                _loosen(owner, table)
            keys = {table: [str(row[0]) for row in owner.execute(UUID_KEYS, (table,))] for table in tables}
        database = Database(url.replace("postgresql://", "postgresql+psycopg://"))
        for organization in (mine, theirs):
            with database.system() as session:
                session.execute(text("insert into organizations (id) values (:id)"), {"id": organization})
            with database.organization(organization) as session:
                for table in tables:
                    _hollow_row(session, table, keys[table], organization)
        yield Tenants(url, database, mine, theirs, tables)
        database.dispose()


def _loosen(owner: psycopg.Connection[tuple[object, ...]], table: str) -> None:
    """Let a table of this throwaway database hold a row of nothing but keys; what guards tenants stays as it is."""
    name = sql.Identifier(table)
    for (check,) in owner.execute(CONSTRAINTS, (table,)).fetchall():
        owner.execute(sql.SQL("alter table {} drop constraint {}").format(name, sql.Identifier(str(check))))
    for (column,) in owner.execute(OPTIONAL, (table,)).fetchall():
        owner.execute(sql.SQL("alter table {} alter {} drop not null").format(name, sql.Identifier(str(column))))


def _hollow_row(session: Session, table: str, keys: list[str], organization: UUID) -> None:
    values = {"organization_id": organization, **{key: uuid4() for key in keys}}
    names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    session.execute(text(f"insert into {table} ({names}) values ({places})"), values)
