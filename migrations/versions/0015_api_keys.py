"""Keys to the API can sign tokens for the notice in the operator's own app, which may stand on named origins

Revision: 0015
After: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("api_keys", sa.Column("sealed_signing_secret", sa.LargeBinary(), nullable=True))
    op.add_column(
        "organizations",
        sa.Column("embed_origins", sa.dialects.postgresql.JSONB(), server_default="[]", nullable=False),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("organizations", "embed_origins")
    op.drop_column("api_keys", "sealed_signing_secret")
