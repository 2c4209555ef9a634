"""Lots: the same answer for ever, equal shares, and no experiment that shares its luck with another."""

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.experiments import lot

PEOPLE = [str(UUID(int=number)) for number in range(6000)]


def test_nobody_is_moved_by_asking_again_or_by_the_order_of_the_arms() -> None:
    assert lot.pick(("a", "b", "c"), "anna", "reminder") == lot.pick(("c", "a", "b"), "anna", "reminder")


def test_the_arms_are_equally_likely() -> None:
    picked = [lot.pick(("a", "b", "c"), person, "reminder") for person in PEOPLE]
    shares = [picked.count(arm) / len(PEOPLE) for arm in ("a", "b", "c")]
    assert all(abs(share - 1 / 3) < 0.02 for share in shares)


def test_two_experiments_do_not_share_their_luck() -> None:
    same = sum(lot.pick(("a", "b"), one, "subject") == lot.pick(("a", "b"), one, "body") for one in PEOPLE)
    assert abs(same / len(PEOPLE) - 0.5) < 0.03


def test_without_anything_to_choose_nothing_is_picked() -> None:
    assert lot.pick((), "anna", "reminder") is None
    assert lot.pick(("only",), "anna", "reminder") == "only"


@given(st.text(), st.text())
def test_a_draw_lies_within_its_bounds(unit: str, about: str) -> None:
    assert 0 <= lot.draw(unit, about) < 1


def test_names_that_run_together_are_different_lots() -> None:
    draws = {lot.draw("b:c", "a"), lot.draw("c", "a:b"), lot.draw("", "a:b:c")}
    assert len(draws) == 3
    assert all(first != second for first, second in pairwise(sorted(draws)))
