"""The oracle itself: each promise that `recoup verify` checks is broken by hand once, and must be found broken."""

from contextlib import suppress

from sqlalchemy import text

from app.recovery.invariants import INVARIANTS, find_offences
from tests.stage import Stage

RECOVERED = """update recovery_cases set state = 'recovered', recovered_by = 'customer', recovered_amount = amount_due,
    recovered_at = opened_at - interval '1 day'"""
ATTEMPT = """insert into charge_attempts (id, organization_id, connection_id, case_id, source, state, number,
        idempotency_key, parameters, amount, currency, started_at, next_check_at, checks, signals, reached_network,
        decision)
    select gen_random_uuid(), organization_id, connection_id, id, 'recoup', '{state}', number, id || ':' || number,
        '{{}}', amount_due, currency, opened_at, opened_at - interval '1 hour', 0, '{{}}', true, '{{}}'
    from recovery_cases, generate_series(1, {count}) number"""
MOVE = """insert into case_entries (organization_id, case_id, kind, name, key, happened_at, recorded_at, from_state,
        to_state, summary, data)
    select organization_id, id, 'fact', 'declined', 'by hand', opened_at, opened_at, '{start}', '{end}', '', '{{}}'
    from recovery_cases"""

BROKEN_BY = {
    "one_success": [ATTEMPT.format(state="succeeded", count=2)],
    "no_charge_after_the_end": [RECOVERED, ATTEMPT.format(state="declined", count=1)],
    "open_case_has_a_next_step": ["update steps set state = 'cancelled' where state = 'planned'"],
    "promise_is_looked_at": [
        """insert into holds (id, organization_id, customer_id, case_id, kind, key, reason, begins_at, until,
               promised_for, created_by)
           select gen_random_uuid(), organization_id, customer_id, id, 'promise', 'by hand', '', opened_at,
               opened_at + interval '2 days', opened_at + interval '1 day', 'by hand'
           from recovery_cases"""
    ],
    "exhausted_case_ends": ["update recovery_cases set state = 'exhausted', exhausted_at = opened_at"],
    "charging_has_an_attempt": ["update recovery_cases set state = 'charging'"],
    "open_attempt_is_asked_after": [ATTEMPT.format(state="unknown", count=1)],
    "ended_case_is_quiet": [RECOVERED],
    "no_chasing_after_the_end": [RECOVERED],
    "sent_once": ["update messages set sends = 2"],
    "leases_end": [
        """update steps set state = 'claimed', lease_token = gen_random_uuid(), lease_until = due_at - interval '9 days'
           where state = 'planned'"""
    ],
    "events_are_finished": [
        "update inbox_events set state = 'received', next_try_at = received_at - interval '1 hour'"
    ],
    "state_follows_the_timeline": [MOVE.format(start="waiting", end="exhausted")],
    "timeline_is_a_chain": [MOVE.format(start="charging", end="waiting")],
    "recovered_sums": [RECOVERED, "update invoices set status = 'paid', amount_paid = amount_due - 1"],
    "charged_as_shown": [
        ATTEMPT.format(state="declined", count=1),
        """update charge_attempts set decision = '{"reason": "new_card"}', payment_method_id = 'pm_given'
           where idempotency_key is not null""",
        """insert into case_entries (organization_id, case_id, kind, name, key, happened_at, recorded_at, summary, data)
           select organization_id, id, 'fact', 'new_card', 'new_card:pm_given', opened_at, opened_at, '',
               jsonb_build_object('shown', jsonb_build_array(amount_due - 1, currency))
           from recovery_cases""",
    ],
    "tries_have_decisions": [
        ATTEMPT.format(state="declined", count=1),
        "update charge_attempts set started_at = started_at + interval '1 day' where idempotency_key is not null",
    ],
    "tenants_stay_apart": [
        "set local role recoup_sweeper",
        """insert into organizations select (o).* from (
               select jsonb_populate_record(acme, jsonb_build_object('id', gen_random_uuid(), 'slug', 'other')) o
               from organizations acme) other""",
        "update steps set organization_id = (select id from organizations where slug = 'other')",
    ],
}


def test_there_is_a_way_to_break_each_promise() -> None:
    assert set(BROKEN_BY) == {invariant.name for invariant in INVARIANTS}


def test_every_promise_broken_by_hand_is_found(stage: Stage) -> None:
    stage.fail(stage.customer()["customer"], "expired_card")
    assert offences_after(stage, []) == set()
    missed = [name for name, statements in BROKEN_BY.items() if name not in offences_after(stage, statements)]
    assert missed == []


def offences_after(stage: Stage, statements: list[str]) -> set[str]:
    """What the oracle finds broken once these statements have run; nothing of them stays."""
    found: set[str] = set()
    with suppress(TakenBack), stage.context.database.organization(stage.organization_id) as session:
        for statement in statements:
            session.execute(text(statement))
        session.execute(text("set local role recoup_sweeper"))
        found.update(offence.invariant for offence in find_offences(session, stage.now))
        raise TakenBack
    return found


class TakenBack(Exception):
    """Ends a transaction without keeping anything."""
