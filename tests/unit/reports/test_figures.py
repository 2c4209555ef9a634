"""Arithmetic of outcomes and shares."""

from hypothesis import given
from hypothesis import strategies as st

from app.reports.figures import Outcomes, Share, Tally, share

tallies = st.builds(Tally, st.integers(0, 1000), st.integers(0, 10**9))


@st.composite
def outcomes(draw: st.DrawFn) -> Outcomes:
    parts = [draw(tallies) for _ in range(5)]
    return Outcomes(*parts, failed=sum(parts, Tally()))


@given(outcomes())
def test_a_debt_is_withdrawn_open_or_decided(one: Outcomes) -> None:
    assert one.withdrawn + one.in_recovery + one.decided == one.failed
    assert one.decided == one.recovered + one.settled_elsewhere + one.lost


@given(outcomes())
def test_the_rate_of_all_is_never_above_the_rate_of_the_decided(one: Outcomes) -> None:
    for of_all, of_decided in (
        (one.recovery_rate.by_cases, one.rate_of_decided.by_cases),
        (one.recovery_rate.by_amount, one.rate_of_decided.by_amount),
    ):
        assert of_decided is None or (of_all is not None and 0 <= of_all <= of_decided <= 1)


@given(outcomes(), outcomes())
def test_adding_two_sets_adds_every_part(one: Outcomes, other: Outcomes) -> None:
    assert (one + other).owed == one.owed + other.owed
    assert (one + other).decided == one.decided + other.decided


def test_a_share_of_nothing_does_not_exist() -> None:
    assert share(Tally(0, 0), Tally(0, 0)) == Share(None, None)
    assert share(Tally(1, 5), Tally(4, 10)) == Share(0.25, 0.5)
