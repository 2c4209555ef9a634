"""Lessons that no decision was made with may be forgotten

Revision: 0017
After: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("grant delete on retry_knowledge to recoup_app")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("revoke delete on retry_knowledge from recoup_app")
