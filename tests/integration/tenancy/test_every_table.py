"""Organizations kept apart by the database: every tenant table there is, found in the catalogue and not in a list."""

from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.orm import Session

from app.db import APP_ROLE, SETTING, SWEEPER_ROLE
from tests.integration.tenancy.conftest import Tenants

APPEND_ONLY = (
    *("audit_entries", "campaign_versions", "case_entries", "delivery_events"),
    "retry_decisions",
)
ROLES = (APP_ROLE, SWEEPER_ROLE)
SCHEMA = "relnamespace = current_schema()::regnamespace"


def count(session: Session, table: str, condition: str = "true", **values: object) -> int:
    return int(session.scalar(text(f"select count(*) from {table} where {condition}"), values) or 0)


def refused(tenants: Tenants, statement: str, **values: object) -> str:
    """The SQLSTATE with which the app's role is refused a statement in its own organization; empty when it is not."""
    try:
        with tenants.database.organization(tenants.mine) as session:
            session.execute(text(statement), values)
    except ProgrammingError as problem:
        return str(problem.orig.sqlstate)  # type: ignore[union-attr]
    return ""


def test_there_are_tenant_tables_to_walk(tenants: Tenants) -> None:
    assert len(tenants.tables) >= 20
    for table in tenants.tables:
        assert (tenants.rows_of(tenants.mine, table), tenants.rows_of(tenants.theirs, table)) == (1, 1), table


def test_every_table_is_guarded_by_forced_policies_for_both_roles(tenants: Tenants) -> None:
    guarded = """
        select c.relname, c.relrowsecurity and c.relforcerowsecurity, array(
            select r.rolname::text from pg_policy p join pg_roles r on r.oid = any(p.polroles)
            where p.polrelid = c.oid and p.polcmd = '*' order by 1)
        from pg_class c where c.relkind in ('r', 'p') and c.relname <> 'alembic_version' and c.
    """
    found = {str(row[0]): row[1:] for row in tenants.catalogue(guarded.strip() + SCHEMA)}
    assert set(tenants.tables) < set(found)
    assert {name: how for name, how in found.items() if how != (True, sorted(ROLES))} == {}


def test_views_show_what_their_reader_may_see_and_no_function_lends_its_owners_rights(tenants: Tenants) -> None:
    views = "select relname, coalesce(reloptions::text, '') from pg_class where relkind in ('v', 'm') and " + SCHEMA
    lenders = "select proname from pg_proc where prosecdef and pronamespace = current_schema()::regnamespace"
    assert tenants.catalogue(lenders) == []
    found = tenants.catalogue(views)
    assert found
    assert [name for name, options in found if "security_invoker=true" not in str(options)] == []


@pytest.mark.parametrize("role", ROLES)
def test_neither_role_can_rise_above_the_policies(tenants: Tenants, role: str) -> None:
    powers = "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin from pg_roles where rolname = %s"
    assert tenants.catalogue(powers, role) == [(False,) * 5]
    others = "select rolname from pg_roles where rolname not like 'pg\\_%%' and pg_has_role(%s, oid, 'member')"
    assert tenants.catalogue(others, role) == [(role,)]
    assert tenants.catalogue("select relname from pg_class where pg_get_userbyid(relowner) = %s", role) == []


def test_an_organization_sees_its_own_rows_and_no_others(tenants: Tenants) -> None:
    for table in tenants.tables:
        with tenants.database.organization(tenants.mine) as session:
            assert count(session, table) == 1, table
            assert count(session, table, "organization_id = :theirs", theirs=tenants.theirs) == 0, table


def test_an_organization_can_neither_change_nor_delete_rows_of_another(tenants: Tenants) -> None:
    for table in tenants.tables:
        for change in (f"update {table} set organization_id = organization_id", f"delete from {table}"):
            refused(tenants, f"{change} where organization_id = :theirs", theirs=tenants.theirs)
        assert tenants.rows_of(tenants.theirs, table) == 1, table


def test_an_organization_can_neither_make_rows_for_another_nor_give_its_own_away(tenants: Tenants) -> None:
    for table in tenants.tables:
        made = refused(tenants, f"insert into {table} (organization_id) values (:theirs)", theirs=tenants.theirs)
        given = refused(tenants, f"update {table} set organization_id = :theirs", theirs=tenants.theirs)
        assert (made, given) == ("42501", "42501"), table


def test_a_transaction_that_names_no_organization_gets_nothing_at_all(tenants: Tenants) -> None:
    engine = tenants.database._app
    for table in (*tenants.tables, "organizations"):
        with pytest.raises(DBAPIError), engine.connect() as connection:
            connection.execute(text(f"select count(*) from {table}"))


def test_the_organization_of_one_transaction_is_forgotten_by_the_next(tenants: Tenants) -> None:
    with tenants.database.organization(tenants.mine) as session:
        backend = session.scalar(text("select pg_backend_pid()"))
    with tenants.database._app.connect() as connection:
        assert connection.scalar(text("select pg_backend_pid()")) == backend
        assert not connection.scalar(text("select current_setting(:name, true)"), {"name": SETTING})
        with pytest.raises(DBAPIError):
            connection.execute(text("select count(*) from recovery_cases"))


def test_an_organization_that_does_not_exist_sees_nothing(tenants: Tenants) -> None:
    for table in (*tenants.tables, "organizations", "users"):
        with tenants.database.organization(uuid4()) as session:
            assert count(session, table) == 0, table


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["update {} set organization_id = organization_id", "delete from {}"])
def test_what_was_written_down_for_good_cannot_be_changed_or_deleted(tenants: Tenants, table: str, change: str) -> None:
    assert refused(tenants, change.format(table)) == "42501"
    with pytest.raises(ProgrammingError, match="permission denied"), tenants.database.system() as session:
        session.execute(text(change.format(table)))


def test_a_lesson_may_be_forgotten_but_not_changed(tenants: Tenants) -> None:
    assert refused(tenants, "update retry_knowledge set by = by") == "42501"
    with pytest.raises(ProgrammingError, match="permission denied"), tenants.database.system() as session:
        session.execute(text("delete from retry_knowledge"))


def test_no_role_of_ours_can_empty_a_table(tenants: Tenants) -> None:
    for table in (*tenants.tables, "organizations", "users"):
        assert refused(tenants, f"truncate {table} cascade") == "42501", table
        with pytest.raises(ProgrammingError, match="permission denied"), tenants.database.system() as session:
            session.execute(text(f"truncate {table} cascade"))


def test_the_sweeper_sees_everybody(tenants: Tenants) -> None:
    for table in tenants.tables:
        with tenants.database.system() as session:
            assert count(session, table) == 2, table
