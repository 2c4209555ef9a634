"""Rehearsals that were asked for in the console, and their reports

Revision: 0010
After: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

MINE = "(select current_setting('recoup.organization_id')::uuid)"
STATES = ("running", "done", "failed", "cancelled")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "rehearsals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="rehearsalstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("share", sa.Float(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_cancelled", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("figures", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_rehearsals_organization_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rehearsals")),
    )
    op.create_index(op.f("ix_rehearsals_organization_id"), "rehearsals", ["organization_id"])
    op.create_index("ix_rehearsals_newest", "rehearsals", ["organization_id", "began_at"])
    op.create_index(
        "uq_rehearsals_one_running",
        "rehearsals",
        ["organization_id"],
        unique=True,
        postgresql_where=sa.text("state = 'running'"),
    )
    op.execute("alter table rehearsals enable row level security")
    op.execute("alter table rehearsals force row level security")
    op.execute(
        f"create policy tenant on rehearsals to recoup_app using (organization_id = {MINE})"
        f" with check (organization_id = {MINE})"
    )
    op.execute("create policy sweep on rehearsals to recoup_sweeper using (true) with check (true)")
    op.execute("grant select, insert, update, delete on rehearsals to recoup_app")
    op.execute("grant select on rehearsals to recoup_sweeper")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("rehearsals")
