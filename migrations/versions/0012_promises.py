"""Promises to pay: the moment a customer named, a step that sees whether it was kept, and a key for Stripe's own form

Revision: 0012
After: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BEFORE = ("switch", "take_over", "give_back", "retry", "message", "window_end", "final_action", "restore")
AFTER = (*BEFORE, "promise")


def _step_kinds(kinds: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_steps_stepkind"), "steps", type_="check")
    allowed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_steps_stepkind"), "steps", f"kind in ({allowed})")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("holds", sa.Column("promised_for", sa.DateTime(timezone=True), nullable=True))
    op.add_column("connections", sa.Column("publishable_key", sa.String(), nullable=True))
    _step_kinds(AFTER)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    # the owner is bound by row-level security too
    op.execute("alter table steps no force row level security")
    op.execute("delete from steps where kind = 'promise'")
    op.execute("alter table steps force row level security")
    _step_kinds(BEFORE)
    op.drop_column("connections", "publishable_key")
    op.drop_column("holds", "promised_for")
