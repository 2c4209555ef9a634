"""Metric views: money settled outside Stripe and voids after the end get their own, honest place

Revision: 0004
After: 0003

Marking an invoice paid by hand, or paying it from credit, is no recovery that Recoup could have caused. Voiding a
debt after the case ran out of road does not turn a loss into something that never happened. Definitions stand in
docs/metrics.md. `window_ends_at` lets reports tell a cohort that can still change from one that cannot.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

CASE_METRICS = """
create view case_metrics with (security_invoker = true) as
select
    m.organization_id, m.case_id, m.currency, m.decline_class, m.failed_at,
    (m.failed_at at time zone 'UTC')::date as failed_on,
    m.window_ends_at, m.failed_amount, m.outcome, m.recovered_amount, m.recovered_by, m.recovered_at,
    case when m.outcome in ('lost', 'withdrawn') then coalesce(m.exhausted_at, m.closed_at) end as ended_at,
    case when m.outcome = 'recovered' then extract(epoch from m.recovered_at - m.failed_at) / 86400.0 end
        as days_to_recover,
    (select count(*) from charge_attempts a where a.case_id = m.case_id) as attempts,
    (select count(*) from messages s where s.case_id = m.case_id and s.accepted_at is not null) as messages
from (
    select
        c.organization_id, c.id as case_id, c.currency, c.decline_class, c.failed_at, c.window_ends_at,
        c.amount_due as failed_amount, c.recovered_amount, c.recovered_by, c.recovered_at, c.exhausted_at, c.closed_at,
        case
            when c.state = 'recovered' and (c.recovered_by = 'out_of_band' or c.recovered_amount = 0)
                then 'settled_elsewhere'
            when c.state = 'recovered' then 'recovered'
            when c.state = 'closed' and c.stop_reason = 'voided' and c.exhausted_at is null then 'withdrawn'
            when c.state in ('closed', 'exhausted') then 'lost'
            else 'in_recovery'
        end as outcome
    from recovery_cases c
) m
"""

DAILY_METRICS = """
create view daily_metrics with (security_invoker = true) as
select organization_id, day, currency, measure, cause, count(*) as cases, sum(amount)::bigint as amount
from (
    select organization_id, failed_on as day, currency, 'failed' as measure, null as cause, failed_amount as amount
    from case_metrics
    union all
    select organization_id, (recovered_at at time zone 'UTC')::date, currency, outcome, recovered_by,
           case when outcome = 'recovered' then recovered_amount else failed_amount end
    from case_metrics where outcome in ('recovered', 'settled_elsewhere')
    union all
    select organization_id, (ended_at at time zone 'UTC')::date, currency, outcome, null, failed_amount
    from case_metrics where outcome in ('lost', 'withdrawn')
) movements
group by organization_id, day, currency, measure, cause
"""

CASE_METRICS_BEFORE = """
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

DAILY_METRICS_BEFORE = """
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
    _replace(CASE_METRICS, DAILY_METRICS)


def downgrade() -> None:
    _replace(CASE_METRICS_BEFORE, DAILY_METRICS_BEFORE)


def _replace(case_metrics: str, daily_metrics: str) -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop view daily_metrics")
    op.execute("drop view case_metrics")
    op.execute(case_metrics)
    op.execute(daily_metrics)
    op.execute("grant select on case_metrics, daily_metrics to recoup_app, recoup_sweeper")
