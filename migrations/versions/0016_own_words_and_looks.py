"""Operators' own texts for mails, and uploaded logos

Revision: 0016
After: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MINE = "(select current_setting('recoup.organization_id')::uuid)"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _texts()
    _logos()
    op.add_column("organizations", sa.Column("logo_id", sa.Uuid(), nullable=True))


def _texts() -> None:
    op.create_table(
        "mail_wordings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        *_owned("mail_wordings"),
        sa.UniqueConstraint(
            "organization_id", "language", "key", name=op.f("uq_mail_wordings_organization_id_language_key")
        ),
    )
    _guard("mail_wordings", "select, insert, update, delete")


def _logos() -> None:
    op.create_table(
        "brand_logos",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.String(), nullable=False),
        *_owned("brand_logos"),
        sa.UniqueConstraint("organization_id", "digest", name=op.f("uq_brand_logos_organization_id_digest")),
        sa.CheckConstraint(
            "media_type in ('image/png', 'image/jpeg', 'image/webp')", name=op.f("ck_brand_logos_picture")
        ),
        sa.CheckConstraint("octet_length(content) <= 204800", name=op.f("ck_brand_logos_small")),
    )
    _guard("brand_logos", "select, insert, update, delete")


def _owned(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f(f"fk_{table}_organization_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _guard(table: str, grants: str) -> None:
    op.create_index(op.f(f"ix_{table}_organization_id"), table, ["organization_id"])
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy tenant on {table} to recoup_app using (organization_id = {MINE})"
        f" with check (organization_id = {MINE})"
    )
    op.execute(f"create policy sweep on {table} to recoup_sweeper using (true) with check (true)")
    op.execute(f"grant {grants} on {table} to recoup_app")
    op.execute(f"grant select on {table} to recoup_sweeper")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("organizations", "logo_id")
    op.drop_table("brand_logos")
    op.drop_table("mail_wordings")
