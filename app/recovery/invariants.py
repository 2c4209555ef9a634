"""What must be true of live data at any moment, as queries that find whatever breaks it. The oracle of the fault suite.

Each query runs across organizations and gives one line for each offence. `:now` is the moment of asking; work that is
merely under way is no offence until it is a minute past its lease (leases of steps and events are on Postgres' clock).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Invariant:
    """A promise in words, and the query for those who break it (columns: what, why)."""

    name: str
    promise: str
    offences: str


@dataclass(frozen=True)
class Offence:
    """One thing that is not as promised; `subject` is an id."""

    invariant: str
    subject: str
    detail: str


INVARIANTS = (
    Invariant(
        "one_success",
        "An invoice is charged successfully at most once.",
        """select case_id, count(*) || ' successful charges' from charge_attempts
           where state = 'succeeded' group by case_id having count(*) > 1""",
    ),
    Invariant(
        "no_charge_after_the_end",
        "No charge of ours begins after its case was paid, stopped or closed.",
        """select a.case_id, 'try ' || a.number || ' began after the end' from charge_attempts a
           join recovery_cases c on c.id = a.case_id
           where a.source = 'recoup' and a.started_at > coalesce(c.recovered_at, c.closed_at) + interval '5 seconds'""",
    ),
    Invariant(
        "open_case_has_a_next_step",
        "A case that waits for money has something on its calendar.",
        """select c.id, 'no step is planned' from recovery_cases c
           where c.state in ('waiting', 'needs_customer') and not exists (
               select 1 from steps s where s.case_id = c.id and s.state in ('planned', 'claimed', 'running'))""",
    ),
    Invariant(
        "exhausted_case_ends",
        "A case that ran out of road has its final action planned, done, or refused for a stated reason.",
        """select c.id, 'no final action' from recovery_cases c
           where c.state = 'exhausted' and not exists (
               select 1 from steps s where s.case_id = c.id and s.kind = 'final_action')""",
    ),
    Invariant(
        "promise_is_looked_at",
        "A promise that stands for an open case has a moment at which it is seen whether it was kept.",
        """select h.case_id, 'nobody looks whether the promise is kept' from holds h
           join recovery_cases c on c.id = h.case_id
           where h.promised_for is not null and h.released_at is null and c.state in ('waiting', 'needs_customer')
           and not exists (
               select 1 from steps s where s.case_id = c.id and s.kind = 'promise'
               and s.state in ('planned', 'claimed', 'running'))""",
    ),
    Invariant(
        "charging_has_an_attempt",
        "A case is being charged exactly while one attempt is open.",
        """select c.id, 'charging without an open attempt' from recovery_cases c
           where c.state = 'charging' and not exists (
               select 1 from charge_attempts a where a.case_id = c.id and a.state in ('charging', 'unknown'))
           union all
           select c.id, 'an attempt is open while the case is ' || c.state from recovery_cases c
           join charge_attempts a on a.case_id = c.id
           where a.state in ('charging', 'unknown') and c.state not in ('charging', 'recovered', 'closed')""",
    ),
    Invariant(
        "open_attempt_is_asked_after",
        "An unanswered charge has a moment at which it is asked after, and that moment is not long past.",
        """select case_id, 'try ' || number || ' is not asked after' from charge_attempts
            where state in ('charging', 'unknown')
              and coalesce(next_check_at, '-infinity') < :now - interval '120 seconds'""",
    ),
    Invariant(
        "ended_case_is_quiet",
        "A case that has ended plans no more tries and no more reminders.",
        """select c.id, s.key || ' is still planned' from recovery_cases c join steps s on s.case_id = c.id
           where c.state in ('recovered', 'closed') and s.state = 'planned'
             and s.kind not in ('restore')
             and s.key not in ('message:recovered', 'message:final_action_done', 'message:choice_done',
                               'message:choice_undone')""",
    ),
    Invariant(
        "no_chasing_after_the_end",
        "No reminder is accepted by a sender after its case was paid or closed.",
        """select m.case_id, m.kind || ' was accepted after the end' from messages m
            join recovery_cases c on c.id = m.case_id
            where m.kind in ('payment_failed', 'reminder', 'final_notice', 'action_required', 'fresh_link',
                             'promise_confirmed', 'promise_broken')
              and m.claimed_at > coalesce(c.recovered_at, c.closed_at) + interval '5 seconds'""",
    ),
    Invariant(
        "sent_once",
        "A mail is sent once; a second time only where nobody could say what became of the first.",
        """select coalesce(m.case_id, m.id), m.key || ' was sent ' || m.sends || ' times' from messages m
           where m.sends > 1 and m.unknown_at is null""",
    ),
    Invariant(
        "leases_end",
        "Nothing stays claimed for more than a minute past its lease.",
        """select case_id, key || ' is stuck as ' || state from steps
            where state in ('claimed', 'running') and lease_until < now() - interval '60 seconds'
            union all
            select coalesce(case_id, id), key || ' is stuck as claimed' from messages
            where state = 'claimed' and next_try_at < :now - interval '60 seconds'""",
    ),
    Invariant(
        "events_are_finished",
        "A webhook that was accepted is handled, parked with a reason, or still being tried.",
        """select connection_id, event_id || ' is left behind' from inbox_events
           where state = 'received' and next_try_at < :now - interval '5 minutes'
             and (lease_until is null or lease_until < now() - interval '60 seconds')
           union all
           select connection_id, event_id || ' is parked without a reason' from inbox_events
           where state = 'parked' and problem is null""",
    ),
    Invariant(
        "state_follows_the_timeline",
        "A case is in the state that the last move on its timeline led to.",
        """select c.id, 'is ' || c.state || ', its timeline says ' || e.to_state from recovery_cases c
           join lateral (select to_state from case_entries where case_id = c.id and from_state <> to_state
                         order by id desc limit 1) e on true
           where e.to_state <> c.state""",
    ),
    Invariant(
        "timeline_is_a_chain",
        "Each move on a timeline begins where the one before it ended.",
        """select case_id, 'a move begins at ' || from_state || ' after ' || before from (
               select case_id, from_state, lag(to_state) over (partition by case_id order by id) as before
               from case_entries where from_state is not null) moves
           where before is not null and before <> from_state""",
    ),
    Invariant(
        "recovered_sums",
        "What a case counts as recovered is what the invoice was paid since it began.",
        """select c.id, 'recovered ' || c.recovered_amount || ', paid since ' || i.amount_paid - c.paid_before
           from recovery_cases c join invoices i on i.id = c.invoice_id
           where c.state = 'recovered' and i.status = 'paid' and i.amount_paid > c.paid_before
             and c.recovered_amount <> i.amount_paid - c.paid_before""",
    ),
    Invariant(
        "charged_as_shown",
        "No charge after a card change or a click on the page exceeds what the page showed.",
        """select a.case_id, 'try ' || a.number || ' asked for ' || a.amount || ', shown: ' || coalesce(shown.amount, 0)
           from charge_attempts a
           join lateral (
               select cast(e.data -> 'shown' ->> 0 as bigint) as amount from case_entries e
               where a.decision ->> 'reason' = 'new_card' and e.case_id = a.case_id and jsonb_exists(e.data, 'shown')
                 and e.key = 'new_card:' || coalesce(a.parameters ->> 'payment_method', a.payment_method_id)
               union all
               select cast(s.plan ->> 'shown' as bigint) from steps s
               where s.id = a.step_id and jsonb_exists(s.plan, 'shown')) shown on true
           where a.source = 'recoup' and a.amount > coalesce(shown.amount, 0)""",
    ),
    Invariant(
        "tries_have_decisions",
        "Each try of ours names the decision it follows, of the same case; since decisions are written down.",
        """select a.case_id, 'try ' || a.number || ' names no decision' from charge_attempts a
           where a.source = 'recoup'
             and a.started_at > (select min(d.decided_at) from retry_decisions d
                                 where d.organization_id = a.organization_id)
             and not exists (select 1 from retry_decisions d
                             where d.case_id = a.case_id and d.id = cast(a.decision ->> 'row' as bigint))""",
    ),
    Invariant(
        "tenants_stay_apart",
        "Whatever belongs to a case belongs to the case's organization.",
        " union all ".join(
            f"select c.id, '{table} of another organization' from recovery_cases c"  # noqa: S608
            f" join {table} t on t.{column} = c.{own} where t.organization_id <> c.organization_id"
            for table, column, own in (
                ("steps", "case_id", "id"),
                ("messages", "case_id", "id"),
                ("messages", "customer_id", "customer_id"),
                ("recipients", "customer_id", "customer_id"),
                ("charge_attempts", "case_id", "id"),
                ("case_entries", "case_id", "id"),
                ("retry_decisions", "case_id", "id"),
                ("subscription_snapshots", "case_id", "id"),
                ("invoices", "id", "invoice_id"),
                ("customers", "id", "customer_id"),
                ("connections", "id", "connection_id"),
            )
        ),
    ),
)


def find_offences(session: Session, now: datetime) -> list[Offence]:
    """Everything that is not as promised, across organizations; needs the system session."""
    found = []
    for invariant in INVARIANTS:
        for subject, detail in session.execute(
            text(invariant.offences), {"now": now} if ":now" in invariant.offences else {}
        ):
            found.append(Offence(invariant.name, str(subject), detail))
    return found
