"""Two roles and row-level security on every tenant table

Revision: 0002
After: 0001

`recoup_app` sees one organization, named by each transaction; with none named, the policy's cast fails and so does
the query. `recoup_sweeper` sees all. Neither owns anything. Rows that must never change have no UPDATE or DELETE grant.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "api_keys", "audit_entries", "campaign_versions", "campaigns", "case_entries", "charge_attempts", "connections",
    "customers", "delivery_events", "holds", "inbox_events", "invoices", "members", "messages", "payment_methods",
    "recovery_cases", "sign_ins", "steps", "subscription_snapshots", "subscriptions", "suppressions",
)
APPEND_ONLY = ("audit_entries", "campaign_versions", "case_entries", "delivery_events")
SWEEPER_WRITES = (
    "api_keys", "charge_attempts", "connections", "inbox_events", "members", "messages", "organizations", "sign_ins",
    "steps", "users",
)
MINE = "(select current_setting('recoup.organization_id')::uuid)"
ROLE = """
do $$ begin
    create role {role} nologin nosuperuser nobypassrls nocreatedb nocreaterole;
exception when duplicate_object or unique_violation then null;
end $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for role in ("recoup_app", "recoup_sweeper"):
        op.execute(ROLE.format(role=role))
        op.execute(f"do $$ begin execute format('grant {role} to %I', current_user); end $$")
        op.execute(f"do $$ begin execute format('grant usage on schema %I to {role}', current_schema()); end $$")
    for table in TENANT_TABLES:
        _guard(table, f"organization_id = {MINE}")
    _guard("organizations", f"id = {MINE}")
    _guard("users", "exists (select 1 from members where members.user_id = users.id)", write="false")
    _grant()


def _guard(table: str, visible: str, write: str | None = None) -> None:
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy tenant on {table} to recoup_app using ({visible}) with check ({write or visible})")
    op.execute(f"create policy sweep on {table} to recoup_sweeper using (true) with check (true)")


def _grant() -> None:
    for table in (*TENANT_TABLES, "organizations", "users"):
        writes = "select, insert" if table in APPEND_ONLY else "select, insert, update, delete"
        if table == "users":
            writes = "select"
        if table == "organizations":
            writes = "select, update"
        op.execute(f"grant {writes} on {table} to recoup_app")
        op.execute(f"grant select on {table} to recoup_sweeper")
    for table in SWEEPER_WRITES:
        op.execute(f"grant insert, update on {table} to recoup_sweeper")
    op.execute("grant delete on sign_ins to recoup_sweeper")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in (*TENANT_TABLES, "organizations", "users"):
        op.execute(f"revoke all on {table} from recoup_app, recoup_sweeper")
        op.execute(f"drop policy tenant on {table}")
        op.execute(f"drop policy sweep on {table}")
        op.execute(f"alter table {table} no force row level security")
        op.execute(f"alter table {table} disable row level security")
    op.execute("do $$ begin execute format('revoke usage on schema %I from recoup_app, recoup_sweeper', current_schema()); end $$")
