"""What a customer chose travels in a step's plan without loss, and a pause of months ends on a day that there is."""

from datetime import UTC, datetime

import pytest

from app.outcomes.actions import FinalAction
from app.recovery.choices import months_later, read_choice, write_choice
from app.vocabulary import DebtAfterwards, FinalActionKind

JANUARY = datetime(2027, 1, 31, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "action",
    [
        FinalAction(FinalActionKind.PAUSE, resumes_at=JANUARY, is_chosen=True),
        FinalAction(FinalActionKind.DOWNGRADE, "price_1", DebtAfterwards.VOID, is_chosen=True),
        FinalAction(FinalActionKind.CANCEL_NOW, None, DebtAfterwards.MARK_UNCOLLECTIBLE, is_chosen=True),
    ],
)
def test_a_choice_is_read_as_it_was_written(action: FinalAction) -> None:
    assert read_choice(write_choice(action)) == action


def test_a_step_of_the_campaign_holds_no_choice() -> None:
    assert read_choice({}) is None


@pytest.mark.parametrize(
    ("months", "day"),
    [(1, (2027, 2, 28)), (2, (2027, 3, 31)), (3, (2027, 4, 30)), (12, (2028, 1, 31)), (13, (2028, 2, 29))],
)
def test_a_month_later_is_the_same_day_or_the_last_there_is(months: int, day: tuple[int, int, int]) -> None:
    assert months_later(JANUARY, months) == datetime(*day, 10, 30, tzinfo=UTC)
