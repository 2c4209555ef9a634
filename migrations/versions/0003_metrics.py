"""Metrics as views over the rows: per case and per day

Revision: 0003
After: 0002

Definitions stand in docs/metrics.md. `lost` is a case that ran out of road, or was stopped while the debt stood;
a voided invoice is `withdrawn`, because nobody is owed anything any more.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CASE_METRICS = """
create view case_metrics with (security_invoker = true) as
select
    c.organization_id,
    c.id as case_id,
    c.currency,
    c.decline_class,
    c.failed_at,
    c.amount_due as failed_amount,
    case
        when c.state = 'recovered' then 'recovered'
        when c.state = 'closed' and c.stop_reason = 'voided' then 'withdrawn'
        when c.state in ('closed', 'exhausted') then 'lost'
        else 'in_recovery'
    end as outcome,
    c.recovered_amount,
    c.recovered_by,
    c.recovered_at,
    case when c.state in ('closed', 'exhausted') then coalesce(c.closed_at, c.exhausted_at) end as ended_at,
    extract(epoch from c.recovered_at - c.failed_at) / 86400.0 as days_to_recover,
    (select count(*) from charge_attempts a where a.case_id = c.id) as attempts,
    (select count(*) from messages m where m.case_id = c.id and m.accepted_at is not null) as messages
from recovery_cases c
"""

DAILY_METRICS = """
create view daily_metrics with (security_invoker = true) as
select organization_id, day, currency, measure, cause, count(*) as cases, sum(amount)::bigint as amount
from (
    select organization_id, (failed_at at time zone 'UTC')::date as day, currency, 'failed' as measure,
           null as cause, failed_amount as amount
    from case_metrics
    union all
    select organization_id, (recovered_at at time zone 'UTC')::date, currency, 'recovered', recovered_by, recovered_amount
    from case_metrics where outcome = 'recovered'
    union all
    select organization_id, (ended_at at time zone 'UTC')::date, currency, outcome, null, failed_amount
    from case_metrics where outcome in ('lost', 'withdrawn')
) movements
group by organization_id, day, currency, measure, cause
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(CASE_METRICS)
    op.execute(DAILY_METRICS)
    op.execute("grant select on case_metrics, daily_metrics to recoup_app, recoup_sweeper")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop view daily_metrics")
    op.execute("drop view case_metrics")
