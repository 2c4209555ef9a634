"""Events get a lease of their own on Postgres' clock, and what goes wrong with them is counted apart

Revision: 0006
After: 0005

Until now one counter stood for outages, faults of a handler and nothing else; a worker that died was not counted.
Claims that are under way while this runs have no `lease_until` and count as free; handling an event twice is harmless.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

LEASED = sa.text("state = 'received' and lease_until is not null")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for count in ("faults", "unfinished"):
        op.add_column("inbox_events", sa.Column(count, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("inbox_events", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_inbox_events_leased", "inbox_events", ["lease_until"], postgresql_where=LEASED)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_inbox_events_leased", "inbox_events")
    for column in ("lease_until", "unfinished", "faults"):
        op.drop_column("inbox_events", column)
