"""What was missed, and what was before

Revision: 0005
After: 0004

Errands are long work at Stripe that goes on where it stopped; findings are what a reconciliation saw. The past has
tables of its own: a row there can never be charged or written to, and reports of Recoup's work do not contain it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

TENANT_TABLES = ("errands", "findings", "past_failures", "past_attempts")
MINE = "(select current_setting('recoup.organization_id')::uuid)"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table('errands',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('connection_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Enum('reconcile', 'backfill', 'old_debts', name='errandkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('state', sa.Enum('running', 'done', 'failed', name='errandstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('asked_by', sa.String(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('options', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('position', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('counts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lease_token', sa.Uuid(), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('problem', sa.String(), nullable=True),
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['connection_id'], ['connections.id'], name=op.f('fk_errands_connection_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_errands_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_errands'))
    )
    op.create_index('ix_errands_newest', 'errands', ['connection_id', 'kind', 'started_at'], unique=False)
    op.create_index(op.f('ix_errands_organization_id'), 'errands', ['organization_id'], unique=False)
    op.create_index('uq_errands_one_running', 'errands', ['connection_id', 'kind'], unique=True, postgresql_where=sa.text("state = 'running'"))
    op.create_table('findings',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('connection_id', sa.Uuid(), nullable=False),
    sa.Column('errand_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Enum('missed_event', 'failure_without_case', 'invoice_changed', 'invoice_ended', 'invoice_gone', 'endpoint', name='findingkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('outcome', sa.String(), nullable=True),
    sa.Column('found_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['connection_id'], ['connections.id'], name=op.f('fk_findings_connection_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['errand_id'], ['errands.id'], name=op.f('fk_findings_errand_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_findings_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_findings')),
    sa.UniqueConstraint('errand_id', 'kind', 'subject', name=op.f('uq_findings_errand_id_kind_subject'))
    )
    op.create_index('ix_findings_newest', 'findings', ['connection_id', 'found_at'], unique=False)
    op.create_index(op.f('ix_findings_organization_id'), 'findings', ['organization_id'], unique=False)
    op.create_table('past_failures',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('connection_id', sa.Uuid(), nullable=False),
    sa.Column('invoice_id', sa.Uuid(), nullable=False),
    sa.Column('customer_stripe_id', sa.String(), nullable=False),
    sa.Column('failed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('amount_due', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('decline_class', sa.String(), nullable=True),
    sa.Column('signals', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('card_brand', sa.String(), nullable=True),
    sa.Column('card_funding', sa.String(), nullable=True),
    sa.Column('card_country', sa.String(), nullable=True),
    sa.Column('customer_country', sa.String(), nullable=True),
    sa.Column('timezone', sa.String(), nullable=True),
    sa.Column('outcome', sa.Enum('paid', 'open', 'written_off', 'voided', name='pastoutcome', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paid_amount', sa.BigInteger(), nullable=False),
    sa.Column('paid_by', sa.Enum('retry', 'new_card', 'authentication', 'stripe_retry', 'customer', 'out_of_band', name='recoveredby', native_enum=False, create_constraint=True, length=32), nullable=True),
    sa.Column('not_asked_because', sa.String(), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['connection_id'], ['connections.id'], name=op.f('fk_past_failures_connection_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['invoice_id'], ['invoices.id'], name=op.f('fk_past_failures_invoice_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_past_failures_organization_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_past_failures')),
    sa.UniqueConstraint('invoice_id', name=op.f('uq_past_failures_invoice_id'))
    )
    op.create_index('ix_past_failures_by_failure', 'past_failures', ['organization_id', 'failed_at'], unique=False)
    op.create_index(op.f('ix_past_failures_customer_stripe_id'), 'past_failures', ['customer_stripe_id'], unique=False)
    op.create_index('ix_past_failures_open', 'past_failures', ['connection_id'], unique=False, postgresql_where=sa.text("outcome = 'open'"))
    op.create_index(op.f('ix_past_failures_organization_id'), 'past_failures', ['organization_id'], unique=False)
    op.create_table('past_attempts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('connection_id', sa.Uuid(), nullable=False),
    sa.Column('past_failure_id', sa.Uuid(), nullable=True),
    sa.Column('charge_id', sa.String(), nullable=False),
    sa.Column('payment_intent_id', sa.String(), nullable=True),
    sa.Column('source', sa.Enum('recoup', 'stripe', 'customer', 'elsewhere', name='attemptsource', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('state', sa.Enum('charging', 'unknown', 'succeeded', 'declined', 'requires_action', 'refused', name='attemptstate', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('payment_method_id', sa.String(), nullable=True),
    sa.Column('fingerprint', sa.String(), nullable=True),
    sa.Column('brand', sa.String(), nullable=True),
    sa.Column('funding', sa.String(), nullable=True),
    sa.Column('country', sa.String(), nullable=True),
    sa.Column('amount', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('signals', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reached_network', sa.Boolean(), nullable=False),
    sa.Column('organization_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['connection_id'], ['connections.id'], name=op.f('fk_past_attempts_connection_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['organization_id'], ['organizations.id'], name=op.f('fk_past_attempts_organization_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['past_failure_id'], ['past_failures.id'], name=op.f('fk_past_attempts_past_failure_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_past_attempts')),
    sa.UniqueConstraint('connection_id', 'charge_id', name=op.f('uq_past_attempts_connection_id_charge_id'))
    )
    op.create_index('ix_past_attempts_card', 'past_attempts', ['organization_id', 'fingerprint', 'started_at'], unique=False)
    op.create_index('ix_past_attempts_intent', 'past_attempts', ['connection_id', 'payment_intent_id'], unique=False)
    op.create_index(op.f('ix_past_attempts_organization_id'), 'past_attempts', ['organization_id'], unique=False)
    op.create_index(op.f('ix_past_attempts_past_failure_id'), 'past_attempts', ['past_failure_id'], unique=False)
    op.add_column('inbox_events', sa.Column('origin', sa.Enum('webhook', 'reconcile', name='eventorigin', native_enum=False, create_constraint=True, length=32), server_default='webhook', nullable=False))
    op.add_column('invoices', sa.Column('seen_open_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('recovery_cases', sa.Column('origin', sa.Enum('failure', 'old_debt', name='caseorigin', native_enum=False, create_constraint=True, length=32), server_default='failure', nullable=False))
    for table in TENANT_TABLES:
        _guard(table)


def _guard(table: str) -> None:
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy tenant on {table} to recoup_app"
        f" using (organization_id = {MINE}) with check (organization_id = {MINE})"
    )
    op.execute(f"create policy sweep on {table} to recoup_sweeper using (true) with check (true)")
    op.execute(f"grant select, insert, update, delete on {table} to recoup_app")
    op.execute(f"grant select on {table} to recoup_sweeper")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column('recovery_cases', 'origin')
    op.drop_column('invoices', 'seen_open_at')
    op.drop_column('inbox_events', 'origin')
    op.drop_index(op.f('ix_past_attempts_past_failure_id'), table_name='past_attempts')
    op.drop_index(op.f('ix_past_attempts_organization_id'), table_name='past_attempts')
    op.drop_index('ix_past_attempts_intent', table_name='past_attempts')
    op.drop_index('ix_past_attempts_card', table_name='past_attempts')
    op.drop_table('past_attempts')
    op.drop_index(op.f('ix_past_failures_organization_id'), table_name='past_failures')
    op.drop_index('ix_past_failures_open', table_name='past_failures', postgresql_where=sa.text("outcome = 'open'"))
    op.drop_index(op.f('ix_past_failures_customer_stripe_id'), table_name='past_failures')
    op.drop_index('ix_past_failures_by_failure', table_name='past_failures')
    op.drop_table('past_failures')
    op.drop_index(op.f('ix_findings_organization_id'), table_name='findings')
    op.drop_index('ix_findings_newest', table_name='findings')
    op.drop_table('findings')
    op.drop_index('uq_errands_one_running', table_name='errands', postgresql_where=sa.text("state = 'running'"))
    op.drop_index(op.f('ix_errands_organization_id'), table_name='errands')
    op.drop_index('ix_errands_newest', table_name='errands')
    op.drop_table('errands')
