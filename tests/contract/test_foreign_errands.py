"""Looking for what was missed, and reading the past, at a Stripe without events, charges and most filters."""

from collections.abc import Iterator

import pytest

from app.inbox.errands.running import Progress, begin, carry_on
from app.inbox.errands.upkeep import begin_backfill
from app.models import Connection, PastFailure
from app.recovery.invariants import find_offences
from app.settings import Settings
from app.vocabulary import CaseState, ErrandKind, PastOutcome
from tests.contract.foreign_stage import ForeignStage, open_foreign_stage
from tests.house import House


@pytest.fixture(params=["refuses", "breaks", "ignores"])
def foreign(house: House, settings: Settings, request: pytest.FixtureRequest) -> Iterator[ForeignStage]:
    with open_foreign_stage(house, settings, request.param) as stage:
        yield stage
        with stage.context.database.system() as session:
            assert find_offences(session, stage.now) == []


def reconcile(stage: ForeignStage) -> Progress:
    (connection,) = stage.rows(Connection)
    errand_id = begin(stage.context, connection, ErrandKind.RECONCILE, "test")
    return carry_on(stage.context, stage.organization_id, errand_id, pace=lambda: None)


def test_a_payment_that_nobody_told_of_ends_its_case(foreign: ForeignStage) -> None:
    customer = foreign.double.subscribe("insufficient_funds", None)
    invoice = foreign.double.renew(customer)
    foreign.settle()
    foreign.double.objects[invoice].update(status="paid", paid=True, amount_paid=4900, amount_remaining=0)
    foreign.advance(minutes=5)
    assert foreign.case(invoice).state is CaseState.WAITING
    progress = reconcile(foreign)
    assert (progress.standing, progress.counts["found"]) == ("done", 1)
    assert foreign.case(invoice).state is CaseState.RECOVERED


def test_the_past_is_read_from_what_there_is(foreign: ForeignStage) -> None:
    foreign.double.renew(foreign.double.subscribe(None))
    customer = foreign.double.subscribe("do_not_honor")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foreign.double, "_note", lambda *_: None)  # nobody is told
        invoice = foreign.double.renew(customer)
    (connection,) = foreign.rows(Connection)
    errand_id = begin_backfill(foreign.context, connection, "test")
    progress = carry_on(foreign.context, foreign.organization_id, errand_id, pace=lambda: None)
    assert progress.standing == "done", progress
    (past,) = foreign.rows(PastFailure)
    assert (past.outcome, past.decline_class, past.amount_due) == (PastOutcome.OPEN, "soft_opaque", 4900)
    assert foreign.double.objects[invoice]["status"] == "open"
