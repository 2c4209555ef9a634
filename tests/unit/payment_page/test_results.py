"""Which bills the page speaks of, and what it says of them: what rests is never part of a sum that is asked for."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations_with_replacement
from uuid import uuid4

import pytest

from app.money import Money
from app.payment_page.bills import Bill, CardUse, Stage, card_use, spoken_of
from app.payment_page.results import Result, read_outcome
from app.vocabulary import HoldKind

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
PLAIN = Bill(
    case_id=uuid4(),
    invoice_stripe_id="in_1",
    stage=Stage.OWED,
    money=Money(2900, "usd"),
    title="Pro",
    number="A-1",
    reason="no_funds",
    next_try_at=None,
    refreshed_at=NOW,
    receipt_url=None,
    can_try_again=False,
    held=None,
    held_until=None,
    their_try_at=None,
    is_asked=False,
    answer=None,
)


def bill(stage: Stage, *, is_held: bool = False) -> Bill:
    return replace(PLAIN, case_id=uuid4(), stage=stage, held=HoldKind.DISPUTE if is_held else None, is_asked=is_held)


EVERY = [bill(stage, is_held=is_held) for stage in Stage for is_held in (False, True)]


@pytest.mark.parametrize("bills", [*combinations_with_replacement(EVERY, 2)])
def test_of_two_bills_no_sum_and_no_ending_mixes_what_rests_with_what_does_not(bills: tuple[Bill, Bill]) -> None:
    assert len({one.rests for one in spoken_of(bills)}) <= 1
    outcome = read_outcome(bills)
    assert len({one.rests for one in outcome.about}) <= 1
    assert {*outcome.listed, *outcome.resting} == set(bills)
    assert not {*outcome.listed} & {*outcome.resting}


def test_what_rests_is_spoken_of_only_where_there_is_nothing_else() -> None:
    resting, owed = bill(Stage.OWED, is_held=True), bill(Stage.OWED)
    assert spoken_of((resting, owed)) == (owed,)
    assert spoken_of((resting, bill(Stage.PAID))) == (resting,)
    assert card_use((owed,)) is CardUse.NOW
    assert card_use((resting,)) is CardUse.LATER
    assert card_use((replace(resting, is_asked=False),)) is CardUse.AFTER_DISPUTE


@pytest.mark.parametrize(
    ("bills", "result"),
    [
        ((bill(Stage.PAID), bill(Stage.OWED, is_held=True)), Result.PAID_BUT),
        ((bill(Stage.PAID), bill(Stage.CARD_SAVED, is_held=True)), Result.PAID_BUT),
        ((bill(Stage.PAID), bill(Stage.OWED)), Result.PARTLY),
        ((bill(Stage.PAID), bill(Stage.NOTHING_DUE)), Result.PAID),
        ((bill(Stage.OWED), bill(Stage.CARD_SAVED, is_held=True)), Result.DECLINED),
        ((bill(Stage.CARD_SAVED, is_held=True),), Result.SAVED),
        ((bill(Stage.SLOW), bill(Stage.OWED, is_held=True)), Result.SLOW),
        ((bill(Stage.NOTHING_DUE),), Result.NOTHING),
        ((), Result.NOTHING),
    ],
)
def test_an_outcome_is_named_by_what_needs_somebody_first(bills: tuple[Bill, ...], result: Result) -> None:
    assert read_outcome(bills).result is result
