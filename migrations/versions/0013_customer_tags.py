"""Customers can be tagged, so that campaigns can be for some of them or leave them alone

Revision: 0013
After: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "customers", sa.Column("tags", sa.dialects.postgresql.JSONB(), server_default="[]", nullable=False)
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("customers", "tags")
