"""Claiming steps on real Postgres: each step once, however many claim; who lost the lease writes nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.context import Context
from app.models import Step
from app.recovery import steps
from app.recovery.steps import LEASE, TO_BE_HEARD, Claim, LeaseLost
from app.vocabulary import StepKind, StepState
from tests.integration.messages.rows import START, Rows, write_rows

DUE = START
NOW = START + timedelta(hours=1)
A_MOMENT = timedelta(seconds=2)  # more than a busy machine needs between two statements


@pytest.fixture
def rows(context: Context) -> Rows:
    return write_rows(context.database)


def plan(context: Context, rows: Rows, *keys: str, kind: StepKind = StepKind.MESSAGE, due_at: datetime = DUE) -> None:
    with context.database.organization(rows.organization_id) as session:
        for key in keys:
            assert steps.plan(session, rows.case(session), kind, key, due_at, "for a test")


def claim(context: Context, now: datetime = NOW, limit: int = 50) -> list[Claim]:
    with context.database.system() as session:
        return steps.claim_due(session, now, limit)


def begin(context: Context, one: Claim) -> Step | None:
    with context.database.organization(one.organization_id) as session:
        return steps.begin(session, one)


def finish(context: Context, one: Claim, now: datetime = NOW) -> None:
    with context.database.organization(one.organization_id) as session:
        steps.finish(session, one, StepState.DONE, None, now)


def let_pass(context: Context, real: timedelta) -> None:
    """As if so much real time had gone by since the leases were given."""
    with context.database.system() as session:
        session.execute(text("update steps set lease_until = lease_until - :real"), {"real": real})


def only(context: Context) -> Step:
    with context.database.system() as session:
        return session.scalars(select(Step)).one()


def test_many_clocks_at_once_claim_every_step_and_each_step_once(context: Context, rows: Rows) -> None:
    other = write_rows(context.database)
    for owner in (rows, other):
        plan(context, owner, *(f"message:{number}" for number in range(60)))
    together = threading.Barrier(6)

    def clock(_: int) -> list[UUID]:
        together.wait(timeout=20)
        mine: list[UUID] = []
        while batch := claim(context, limit=7):
            mine += [one.step_id for one in batch]
        return mine

    with ThreadPoolExecutor(6) as pool:
        claimed = [step for mine in pool.map(clock, range(6)) for step in mine]
    assert len(claimed) == len(set(claimed)) == 120


def test_many_workers_with_one_claim_begin_it_once(context: Context, rows: Rows) -> None:
    plan(context, rows, "message:1")
    (one,) = claim(context)
    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(lambda _: begin(context, one), range(8)))
    assert sum(step is not None for step in begun) == 1


def test_many_that_take_a_planned_step_for_themselves_begin_it_once(context: Context, rows: Rows) -> None:
    plan(context, rows, "retry:1", kind=StepKind.RETRY)

    def at_once(_: int) -> bool:
        with context.database.organization(rows.organization_id) as session:
            found = steps.open_steps(session, rows.case_id)
            mine = steps.claim_one(session, found[0], NOW)
        return mine is not None and begin(context, mine) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(at_once, range(8))) == 1
    assert only(context).state is StepState.RUNNING


def test_a_claim_that_is_not_committed_yet_is_nobody_elses_and_nobody_waits_for_it(
    context: Context, rows: Rows
) -> None:
    plan(context, rows, "message:1")

    def claim_and_die() -> None:
        with context.database.system() as session:
            assert len(steps.claim_due(session, NOW)) == 1
            assert claim(context) == []
            raise InterruptedError

    with pytest.raises(InterruptedError):
        claim_and_die()
    assert len(claim(context)) == 1, "a clock that died before its commit has claimed nothing"


def test_what_is_not_due_is_not_claimed_and_the_longest_due_comes_first(context: Context, rows: Rows) -> None:
    plan(context, rows, "late", due_at=NOW + timedelta(seconds=1))
    plan(context, rows, "second", due_at=NOW)
    plan(context, rows, "first", due_at=NOW - timedelta(days=1))
    (first,) = claim(context, limit=1)
    (second,) = claim(context)
    with context.database.system() as session:
        assert [session.get_one(Step, one.step_id).key for one in (first, second)] == ["first", "second"]


def test_a_claim_whose_bell_nobody_heard_is_made_again_and_the_first_one_is_void(context: Context, rows: Rows) -> None:
    plan(context, rows, "message:1")
    (unheard,) = claim(context)
    let_pass(context, TO_BE_HEARD - A_MOMENT)
    assert claim(context) == []
    let_pass(context, A_MOMENT)
    (heard,) = claim(context)
    assert heard.step_id == unheard.step_id
    assert heard.token != unheard.token
    assert begin(context, unheard) is None
    assert begin(context, heard) is not None
    assert only(context).claims == 1, "a bell that nobody heard brings no step nearer to being given up"


def test_a_worker_that_slept_through_its_lease_can_write_no_ending(context: Context, rows: Rows) -> None:
    plan(context, rows, "message:1")
    (slow,) = claim(context)
    assert begin(context, slow) is not None
    let_pass(context, LEASE - A_MOMENT)
    assert claim(context) == []
    let_pass(context, A_MOMENT)
    (quick,) = claim(context)
    assert begin(context, quick) is not None
    with pytest.raises(LeaseLost):
        finish(context, slow)
    with pytest.raises(LeaseLost), context.database.organization(rows.organization_id) as session:
        steps.postpone(session, slow, NOW + timedelta(days=1), "much too late")
    finish(context, quick)
    assert only(context).state is StepState.DONE


def test_turning_the_clock_takes_no_step_out_of_a_workers_hands(context: Context, rows: Rows) -> None:
    plan(context, rows, "begun", "claimed")
    begun, _ = claim(context)
    assert begin(context, begun) is not None
    days_later = NOW + timedelta(days=30)
    assert claim(context, days_later) == []
    finish(context, begun, days_later)


def test_a_step_that_was_put_off_meanwhile_is_not_taken_at_once(context: Context, rows: Rows) -> None:
    plan(context, rows, "retry:1", kind=StepKind.RETRY)
    with context.database.organization(rows.organization_id) as session:
        (seen,) = steps.open_steps(session, rows.case_id)
    with context.database.system() as session:
        session.execute(text("update steps set due_at = due_at + interval '1 day'"))
    with context.database.organization(rows.organization_id) as session:
        assert steps.claim_one(session, seen, NOW) is None


def test_a_step_ends_once(context: Context, rows: Rows) -> None:
    plan(context, rows, "message:1")
    (one,) = claim(context)
    with pytest.raises(LeaseLost):
        finish(context, one)
    assert begin(context, one) is not None
    finish(context, one)
    with pytest.raises(LeaseLost):
        finish(context, one)
    assert claim(context, NOW + timedelta(days=9)) == []


def test_claims_given_back_are_free_at_once_but_what_has_begun_is_not_given_back(context: Context, rows: Rows) -> None:
    plan(context, rows, "message:1", "message:2")
    one, two = claim(context)
    assert begin(context, one) is not None
    with context.database.system() as session:
        steps.unclaim(session, [one, two])
    assert [again.step_id for again in claim(context)] == [two.step_id]
    finish(context, one)


def test_cancelling_takes_what_has_not_begun_and_leaves_what_has(context: Context, rows: Rows) -> None:
    plan(context, rows, "planned", "claimed", "running", due_at=DUE)
    with context.database.system() as session:
        session.execute(text("update steps set due_at = due_at + interval '2 hours' where key = 'planned'"))
    one, two = claim(context)
    assert begin(context, one) is not None
    with context.database.organization(rows.organization_id) as session:
        assert steps.cancel(session, rows.case_id, "paid", NOW) == 2
    assert begin(context, two) is None, "a worker that comes with a cancelled claim does nothing"
    finish(context, one)


def test_a_step_is_planned_once_by_its_key_even_after_it_is_done(context: Context, rows: Rows) -> None:
    plan(context, rows, "message:1")
    (one,) = claim(context)
    begin(context, one)
    finish(context, one)
    with context.database.organization(rows.organization_id) as session:
        assert not steps.plan(session, rows.case(session), StepKind.MESSAGE, "message:1", NOW, "again")


def test_the_database_allows_one_open_retry_for_a_case(context: Context, rows: Rows) -> None:
    plan(context, rows, "retry:1", kind=StepKind.RETRY)
    with pytest.raises(IntegrityError, match="one_open_retry"):
        plan(context, rows, "retry:2", kind=StepKind.RETRY)


def test_only_troubles_in_a_row_count_against_a_step(context: Context, rows: Rows) -> None:
    plan(context, rows, "window_end", kind=StepKind.WINDOW_END)
    for number in range(1, 4):
        (one,) = claim(context)
        begun = begin(context, one)
        assert begun is not None
        assert begun.claims == number
        with context.database.organization(one.organization_id) as session:
            steps.try_later(session, one, DUE, "Stripe is away", begun.claims)
    (one,) = claim(context)
    assert begin(context, one)
    with context.database.organization(one.organization_id) as session:
        steps.postpone(session, one, DUE, "not yet at its end")
    assert only(context).claims == 0
