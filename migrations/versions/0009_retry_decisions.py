"""Decisions of the retry planner are kept whole, and so is what it has learnt

Revision: 0009
After: 0008

Both tables only grow: the app's role may not edit what was decided or known.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MINE = "(select current_setting('recoup.organization_id')::uuid)"
TABLES = ("retry_decisions", "retry_knowledge")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "retry_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("news_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rules", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("knowledge", sa.String(), nullable=False),
        sa.Column("propensity", sa.Float(), nullable=True),
        sa.Column("chance", sa.Float(), nullable=True),
        sa.Column("asked_by", sa.String(), nullable=True),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["recovery_cases.id"], name=op.f("fk_retry_decisions_case_id"), ondelete="CASCADE"
        ),
        _organization("retry_decisions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retry_decisions")),
    )
    op.create_index("ix_retry_decisions_case", "retry_decisions", ["case_id", "id"])
    op.create_table(
        "retry_knowledge",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("learnt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("gain", sa.Float(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        _organization("retry_knowledge"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retry_knowledge")),
    )
    op.create_index("ix_retry_knowledge_version", "retry_knowledge", ["organization_id", "version"])
    for table in TABLES:
        _guard(table)


def _organization(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_organization_id")
    return sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=name, ondelete="CASCADE")


def _guard(table: str) -> None:
    op.create_index(op.f(f"ix_{table}_organization_id"), table, ["organization_id"])
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy tenant on {table} to recoup_app"
        f" using (organization_id = {MINE}) with check (organization_id = {MINE})"
    )
    op.execute(f"create policy sweep on {table} to recoup_sweeper using (true) with check (true)")
    op.execute(f"grant select, insert on {table} to recoup_app")
    op.execute(f"grant select on {table} to recoup_sweeper")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in TABLES:
        op.drop_table(table)
