"""What each event of a payment and each decision looks up is found by an index, however many invoices there are

Revision: 0019
After: 0018
"""

import sqlalchemy as sa

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_index(
        "ix_invoices_of_payment",
        "invoices",
        ["connection_id", "payment_intent_id"],
        postgresql_where=sa.text("payment_intent_id is not null"),
    )
    op.create_index("ix_recovery_cases_of_customer", "recovery_cases", ["customer_id", "failed_at"])
    op.create_index(op.f("ix_recovery_cases_subscription_id"), "recovery_cases", ["subscription_id"])


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index(op.f("ix_recovery_cases_subscription_id"), table_name="recovery_cases")
    op.drop_index("ix_recovery_cases_of_customer", table_name="recovery_cases")
    op.drop_index("ix_invoices_of_payment", table_name="invoices")
