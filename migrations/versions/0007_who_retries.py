"""Who retries: conflicts get rows of their own, and switching from observe to drive or back gets steps

Revision: 0007
After: 0006

What stood in `conflict_reason` and `conflict_at` is found again by the next reading of an invoice, so it is not kept.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MINE = "(select current_setting('recoup.organization_id')::uuid)"
KINDS = ("stripe_plans_try", "stripe_tried", "nobody_retries", "stripe_ends_first", "stripe_mails", "another_recoup")
STEPS_BEFORE = ("take_over", "retry", "message", "window_end", "final_action", "restore")
STEPS_AFTER = ("switch", "take_over", "give_back", "retry", "message", "window_end", "final_action", "restore")
STANDING = sa.text("resolved_at is null")


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def _step_kinds(kinds: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_steps_stepkind"), "steps", type_="check")
    allowed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_steps_stepkind"), "steps", f"kind in ({allowed})")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "conflicts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("kind", _words("conflictkind", *KINDS), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.String(), nullable=True),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connections.id"], name=op.f("fk_conflicts_connection_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["recovery_cases.id"], name=op.f("fk_conflicts_case_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_conflicts_organization_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflicts")),
    )
    op.create_index(op.f("ix_conflicts_organization_id"), "conflicts", ["organization_id"])
    op.create_index("ix_conflicts_standing_case", "conflicts", ["case_id"], postgresql_where=STANDING)
    op.create_index(
        "uq_conflicts_one_standing",
        "conflicts",
        ["connection_id", "kind", "subject"],
        unique=True,
        postgresql_where=STANDING,
    )
    op.execute("alter table conflicts enable row level security")
    op.execute("alter table conflicts force row level security")
    op.execute(
        f"create policy tenant on conflicts to recoup_app"
        f" using (organization_id = {MINE}) with check (organization_id = {MINE})"
    )
    op.execute("create policy sweep on conflicts to recoup_sweeper using (true) with check (true)")
    op.execute("grant select, insert, update, delete on conflicts to recoup_app")
    op.execute("grant select on conflicts to recoup_sweeper")
    op.add_column(
        "connections",
        sa.Column("enforcement", _words("enforcement", "enforce", "warn"), server_default="enforce", nullable=False),
    )
    op.add_column("connections", sa.Column("switches", sa.Integer(), server_default="0", nullable=False))
    op.drop_column("connections", "conflict_at")
    op.drop_column("connections", "conflict_reason")
    _step_kinds(STEPS_AFTER)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("delete from steps where kind in ('switch', 'give_back')")
    _step_kinds(STEPS_BEFORE)
    op.add_column("connections", sa.Column("conflict_reason", sa.String(), nullable=True))
    op.add_column("connections", sa.Column("conflict_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_column("connections", "switches")
    op.drop_column("connections", "enforcement")
    op.drop_index("uq_conflicts_one_standing", "conflicts", postgresql_where=STANDING)
    op.drop_index("ix_conflicts_standing_case", "conflicts", postgresql_where=STANDING)
    op.drop_index(op.f("ix_conflicts_organization_id"), table_name="conflicts")
    op.drop_table("conflicts")
