"""Errands go on where they stopped: after a kill, after a rate limit, beside one another, and never anew."""

from datetime import timedelta
from uuid import UUID

import pytest

from app.inbox.errands import kinds
from app.inbox.errands.running import Progress, begin, carry_on
from app.inbox.errands.upkeep import begin_backfill, begin_due, find_unattended
from app.inbox.errands.walk import LEASE, Walk
from app.models import Errand, Finding, Invoice, PastFailure
from app.stripe_gateway import client
from app.stripe_gateway.pace import Pace
from app.vocabulary import ErrandKind, ErrandState
from tests.integration.errands.conftest import backfill, connection_of, reconcile
from tests.stage import Stage
from workers.sweeping import ring_upkeep


class Killed(BaseException):
    """What SIGKILL is to a process: nothing of ours runs afterwards."""


def go_on(stage: Stage, errand_id: UUID) -> Progress:
    return carry_on(stage.context, stage.organization_id, errand_id, pace=lambda: None)


def trouble(stage: Stage, **fault: object) -> None:
    assert stage.http.post(f"{stage.sandbox.url}/_sandbox/faults", json=fault, timeout=10).ok


def test_a_killed_errand_is_carried_on_from_its_last_page(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.stripe_gateway.listing.PAGE_SIZE", 5)
    for _ in range(12):
        stage.customer()
    stage.settle()
    errand_id = begin_backfill(stage.context, connection_of(stage), "test")
    pages: list[int] = []

    def dies(walk: Walk) -> None:
        pages.append(walk.counts.get("invoices", 0))
        if len(pages) == 5:
            raise Killed

    with pytest.raises(Killed):
        carry_on(stage.context, stage.organization_id, errand_id, say=dies, pace=lambda: None)
    assert go_on(stage, errand_id).standing == "elsewhere"  # the lease of the dead still runs
    stage._turn(stage.now + LEASE)
    progress = go_on(stage, errand_id)
    assert (progress.standing, progress.counts["invoices"]) == ("done", 12)
    assert pages[-1] > 0
    assert len(stage.rows(Invoice)) == 12


@pytest.mark.long
def test_a_kill_between_finding_and_mending_loses_neither(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.control("faults", kind="lost_webhook")
    invoice = stage.control("fail", customer=stage.customer()["customer"], script=["do_not_honor"])["invoice"]
    stage.settle()
    stage.sandbox.world.store.execute("delete from objects where kind = 'event'")
    stage._turn(stage.now + timedelta(minutes=5))
    errand_id = begin(stage.context, connection_of(stage), ErrandKind.RECONCILE, "test")

    def dies(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("app.inbox.reconcile.repairing.observe_invoice", dies)
        with pytest.raises(Killed):
            go_on(stage, errand_id)
    (found,) = stage.rows(Finding)
    assert (found.subject, found.outcome) == (invoice, None)
    stage._turn(stage.now + LEASE)
    assert go_on(stage, errand_id).standing == "done"
    (found,) = stage.rows(Finding)
    assert found.outcome == "read again; its case is now waiting"


def test_a_rate_limit_makes_it_rest_and_go_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_WAITS", ())
    for _ in range(3):
        stage.customer()
    stage.settle()
    trouble(stage, kind="http_429", count=1, path="/v1/invoices")
    errand_id = begin_backfill(stage.context, connection_of(stage), "test")
    resting = go_on(stage, errand_id)
    assert (resting.standing, resting.wait > 0) == ("resting", True)
    with stage.context.database.system() as session:
        assert find_unattended(session, stage.now) == []
        assert find_unattended(session, stage.now + timedelta(seconds=resting.wait)) != []
    assert go_on(stage, errand_id).standing == "done"
    assert stage.rows(Errand)[0].tries == 0


def test_a_stripe_that_stays_away_ends_it_with_the_reason(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble(stage, kind="http_500", path="/v1/charges")
    errand_id = begin_backfill(stage.context, connection_of(stage), "test")
    for _ in range(12):
        progress = go_on(stage, errand_id)
    assert (progress.standing, "StripeUnavailable" in str(progress.problem)) == ("failed", True)


def test_two_at_once_are_one(stage: Stage) -> None:
    stage.customer()
    connection = connection_of(stage)
    one = begin(stage.context, connection, ErrandKind.RECONCILE, "one")
    assert begin(stage.context, connection, ErrandKind.RECONCILE, "two") == one
    seen: list[Progress] = []

    def beside(_walk: Walk) -> None:
        seen.append(go_on(stage, one))

    assert carry_on(stage.context, stage.organization_id, one, say=beside, pace=lambda: None).standing == "done"
    assert {progress.standing for progress in seen} == {"elsewhere"}


@pytest.mark.long
def test_whoever_slept_through_the_lease_writes_nothing_more(stage: Stage) -> None:
    stage.customer()
    errand_id = begin_backfill(stage.context, connection_of(stage), "test")
    others: list[Progress] = []

    def sleeps(_walk: Walk) -> None:
        if not others:
            stage._turn(stage.now + LEASE + timedelta(seconds=1))
            others.append(go_on(stage, errand_id))

    late = carry_on(stage.context, stage.organization_id, errand_id, say=sleeps, pace=lambda: None)
    assert (others[0].standing, late.standing) == ("done", "elsewhere")


def test_the_clock_begins_a_look_every_hour_and_reads_the_past_once(stage: Stage) -> None:
    for _ in range(3):
        ring_upkeep(stage.context)
        stage.settle()
    kinds_run = sorted(errand.kind for errand in stage.rows(Errand))
    assert kinds_run == [ErrandKind.BACKFILL, ErrandKind.NOTICES, ErrandKind.RECONCILE]
    stage.advance(minutes=61)
    ring_upkeep(stage.context)
    stage.settle()
    assert sorted(errand.kind for errand in stage.rows(Errand)) == [*kinds_run, ErrandKind.RECONCILE]
    begin_due(stage.context)
    assert {errand.state for errand in stage.rows(Errand)} == {ErrandState.DONE}


@pytest.mark.long
def test_thousands_of_invoices_are_read_page_by_page(stage: Stage) -> None:
    world = stage.sandbox.world
    for _ in range(2):
        stage.control("fail", customer=stage.customer()["customer"], script=["do_not_honor"])
    made = stage.customer()
    with world.transaction() as ledger:
        whole = ledger.get("invoice", made["invoice"])
        for number in range(3000):
            ledger.save({**whole, "id": f"in_past{number:05}", "created": whole["created"] - number})
    progress = backfill(stage)
    assert (progress.standing, progress.counts["failures"]) == ("done", 2)
    assert progress.counts["invoices"] >= 3003
    assert len(stage.rows(PastFailure)) == 2
    assert reconcile(stage) == []


def test_a_pace_lets_no_second_see_more_than_stripe_allows() -> None:
    now, asked = 0.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    pace = Pace(monotonic=lambda: now, sleep=sleep)
    for _ in range(200):
        pace()
        asked.append(now)
    assert max(sum(1 for other in asked if moment <= other < moment + 1) for moment in asked) <= 25
    assert now > 10


def test_every_kind_has_stages_of_different_names() -> None:
    assert set(kinds.STAGES) == set(ErrandKind)
    for stages in kinds.STAGES.values():
        assert len({name for name, _ in stages}) == len(stages)
