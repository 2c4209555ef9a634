"""The balance chart keeps one scale for both directions and stays inside its box."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.console.charts import HEIGHT, WIDTH, balance_chart

amounts = st.integers(min_value=0, max_value=10**12)


@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=60))
def test_every_bar_stays_inside_the_box(days: list[tuple[int, int]]) -> None:
    chart = balance_chart([(date(2026, 1, 1) + timedelta(days=n), won, lost) for n, (won, lost) in enumerate(days)])
    for bar in chart.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH
        assert -0.02 <= bar.recovered_y <= HEIGHT
        assert chart.baseline + bar.lost_height <= HEIGHT + 0.02


def test_equal_amounts_won_and_lost_have_bars_of_equal_length() -> None:
    (bar,) = balance_chart([(date(2026, 1, 1), 500, 500)]).bars
    assert bar.recovered_height == bar.lost_height


def test_a_month_without_movement_is_known_to_be_empty() -> None:
    assert balance_chart([(date(2026, 1, 1), 0, 0)]).is_empty
    assert balance_chart([]).is_empty
