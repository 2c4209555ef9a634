"""Stripe's clock and ours never agree to the second, and some server's is minutes off: a charge stays ours."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.recovery.invariants import find_offences
from app.stripe_gateway.readers import read_charge
from app.stripe_gateway.snapshots import ChargeSnapshot, Json
from app.vocabulary import AttemptSource, AttemptState, CaseState
from tests.stage import LADDER, Stage


@pytest.mark.parametrize("seconds", [-240, 240])
def test_a_try_of_ours_is_booked_once_whatever_stripes_clock_says(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    def read_by_another_clock(row: Json) -> ChargeSnapshot:
        charge = read_charge(row)
        return replace(charge, created=charge.created + timedelta(seconds=seconds))

    monkeypatch.setattr("app.stripe_gateway.charges.read_charge", read_by_another_clock)
    stage.use_campaign(LADDER)
    invoice = stage.fail(stage.customer()["customer"], "insufficient_funds", "insufficient_funds", "approve")
    stage.advance(days=12)
    assert stage.case(invoice).state is CaseState.RECOVERED
    told = [(one.source, one.state) for one in stage.attempts(invoice)]
    assert sorted(told) == sorted(
        [
            (AttemptSource.STRIPE, AttemptState.DECLINED),
            (AttemptSource.RECOUP, AttemptState.DECLINED),
            (AttemptSource.RECOUP, AttemptState.SUCCEEDED),
        ]
    )
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []
