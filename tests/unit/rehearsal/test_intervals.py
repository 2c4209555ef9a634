"""Intervals of a rehearsal's shares, against values that are known."""

import pytest

from app.rehearsal.intervals import bootstrap_share, wilson


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe (1998), table I: 81 of 263 and 15 of 148
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


@pytest.mark.parametrize(("hits", "of"), [(0, 20), (20, 20), (1, 29)])
def test_the_interval_stays_within_what_a_share_can_be_and_holds_the_share(hits: int, of: int) -> None:
    low, high = wilson(hits, of)
    assert 0 <= low <= hits / of <= high <= 1


def test_nothing_counted_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert bootstrap_share([], [], 1) == (0.0, 1.0)


def test_money_is_drawn_by_whole_cases_and_repeats_with_its_seed() -> None:
    recovered, owed = [100, 0] * 50, [100, 100] * 50
    low, high = bootstrap_share(recovered, owed, 7)
    assert (low, high) == bootstrap_share(recovered, owed, 7)
    assert 0.38 < low < 0.5 < high < 0.62
    assert bootstrap_share([5], [10], 1) == (0.5, 0.5)
