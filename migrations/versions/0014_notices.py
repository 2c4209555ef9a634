"""Looking for what customers should hear before anything fails, and when Stripe mailed an invoice by itself

Revision: 0014
After: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BEFORE = ("reconcile", "backfill", "old_debts")
AFTER = (*BEFORE, "notices")


def _errand_kinds(kinds: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_errands_errandkind"), "errands", type_="check")
    allowed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_errands_errandkind"), "errands", f"kind in ({allowed})")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("subscriptions", sa.Column("collection_method", sa.String(), nullable=True))
    op.add_column("invoices", sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_subscriptions_charged_next", "subscriptions", ["connection_id", "current_period_end"])
    op.create_index(
        "ix_invoices_paid_by_hand",
        "invoices",
        ["connection_id", "due_at"],
        postgresql_where=sa.text("status = 'open' and collection_method = 'send_invoice'"),
    )
    _errand_kinds(AFTER)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    # the owner is bound by row-level security too
    op.execute("alter table errands no force row level security")
    op.execute("delete from errands where kind = 'notices'")
    op.execute("alter table errands force row level security")
    _errand_kinds(BEFORE)
    op.drop_index("ix_invoices_paid_by_hand", "invoices")
    op.drop_index("ix_subscriptions_charged_next", "subscriptions")
    op.drop_column("invoices", "mailed_at")
    op.drop_column("subscriptions", "collection_method")
