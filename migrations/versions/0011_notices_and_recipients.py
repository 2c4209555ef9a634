"""Mails that are about no case, several people a customer, variants, and what is known of Stripe's own mails

Revision: 0011
After: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MINE = "(select current_setting('recoup.organization_id')::uuid)"
ABOUT = "case_id is not null or invoice_id is not null or subscription_id is not null"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.alter_column("messages", "case_id", nullable=True)
    for column, table in (("invoice_id", "invoices"), ("subscription_id", "subscriptions")):
        op.add_column("messages", sa.Column(column, sa.Uuid(), nullable=True))
        name = op.f(f"fk_messages_{column}")
        op.create_foreign_key(name, "messages", table, [column], ["id"], ondelete="CASCADE")
        op.create_index(op.f(f"ix_messages_{column}"), "messages", [column])
    for column in ("variant", "addressee"):
        op.add_column("messages", sa.Column(column, sa.String(), nullable=True))
    op.add_column("messages", sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_messages_is_about_something"), "messages", ABOUT)
    op.create_index(
        "uq_messages_without_case",
        "messages",
        ["customer_id", "key"],
        unique=True,
        postgresql_where=sa.text("case_id is null"),
    )
    op.create_index(
        "ix_messages_recipient", "messages", ["organization_id", sa.text("lower(recipient)"), "claimed_at"]
    )
    _flag("delivery_events", "is_by_machine")
    _flag("connections", "stripe_mails")
    op.add_column(
        "organizations",
        sa.Column("notices", sa.dialects.postgresql.JSONB(), server_default="{}", nullable=False),
    )
    _recipients()


def _flag(table: str, column: str) -> None:
    op.add_column(table, sa.Column(column, sa.Boolean(), server_default="false", nullable=False))


def _recipients() -> None:
    op.create_table(
        "recipients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("is_main", sa.Boolean(), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_recipients_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_recipients_organization_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipients")),
    )
    op.create_index(op.f("ix_recipients_organization_id"), "recipients", ["organization_id"])
    op.create_index("uq_recipients_address", "recipients", ["customer_id", sa.text("lower(address)")], unique=True)
    op.create_index(
        "uq_recipients_one_main", "recipients", ["customer_id"], unique=True, postgresql_where=sa.text("is_main")
    )
    op.execute("alter table recipients enable row level security")
    op.execute("alter table recipients force row level security")
    op.execute(
        f"create policy tenant on recipients to recoup_app using (organization_id = {MINE})"
        f" with check (organization_id = {MINE})"
    )
    op.execute("create policy sweep on recipients to recoup_sweeper using (true) with check (true)")
    op.execute("grant select, insert, update, delete on recipients to recoup_app")
    op.execute("grant select on recipients to recoup_sweeper")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("recipients")
    op.drop_column("organizations", "notices")
    op.drop_column("connections", "stripe_mails")
    op.drop_column("delivery_events", "is_by_machine")
    op.drop_index("ix_messages_recipient", "messages")
    op.drop_index("uq_messages_without_case", "messages")
    op.drop_constraint(op.f("ck_messages_is_about_something"), "messages")
    for column in ("opened_at", "addressee", "variant", "subscription_id", "invoice_id"):
        op.drop_column("messages", column)
    # what is about no case cannot be said in the older schema; its owner is bound by row-level security too
    op.execute("alter table messages no force row level security")
    op.execute("delete from messages where case_id is null")
    op.execute("alter table messages force row level security")
    op.alter_column("messages", "case_id", nullable=False)
