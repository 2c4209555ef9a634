"""What had been paid on an invoice before its payment failed is nobody's recovery

Revision: 0020
After: 0019
"""

import sqlalchemy as sa

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("recovery_cases", sa.Column("paid_before", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("recovery_cases", "paid_before")
