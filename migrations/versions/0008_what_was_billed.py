"""A case keeps the name of what its invoice billed, so that a later plan does not rename the debt

Revision: 0008
After: 0007

Cases that are there already take it from the snapshot of their final action, else from the plan as it is now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

READ = ("recovery_cases", "subscriptions", "subscription_snapshots")
BILLED = """
update recovery_cases c set billed_name = coalesce(
    (select coalesce(nullif(s.before #>> '{items,data,0,price,nickname}', ''), s.before ->> 'description')
     from subscription_snapshots s where s.case_id = c.id),
    (select p.plan_name from subscriptions p where p.id = c.subscription_id))
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("recovery_cases", sa.Column("billed_name", sa.String(), nullable=True))
    # the tables' owner is bound by row-level security too, and a migration belongs to no organization
    for table in READ:
        op.execute(f"alter table {table} no force row level security")
    op.execute(BILLED)
    for table in READ:
        op.execute(f"alter table {table} force row level security")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("recovery_cases", "billed_name")
