"""Drawing among nearly equal slots: bounded loss, known chances, the same draw for the same case."""

from collections import Counter
from dataclasses import replace

import pytest

from app.retries.exploration import LEAST_CHANCE, Ticket, draw, tickets
from app.retries.facts import Card, RetryPolicy
from app.retries.planning import make_plan
from tests.unit.retries.cases import case

POLICY = RetryPolicy(timing="planned")
FACTS = case(card=Card("visa", "debit", "GB", "fp"), timezone="Europe/London")
PLAN = make_plan(FACTS, POLICY)
OF = tickets(PLAN, POLICY, FACTS.amount_minor)


def test_chances_add_up_and_none_is_too_small_to_learn_from() -> None:
    assert len(OF) > 1
    assert sum(ticket.probability for ticket in OF) == pytest.approx(1)
    assert min(ticket.probability for ticket in OF) >= LEAST_CHANCE


def test_the_expected_loss_stays_within_its_bound() -> None:
    loss = sum(ticket.probability * (OF[0].option.value - ticket.option.value) for ticket in OF)
    assert 0 < loss <= POLICY.exploration_loss * PLAN.value + 1e-12


@pytest.mark.parametrize("policy", [replace(POLICY, exploration_loss=0), replace(POLICY, exploration_max_minor=4899)])
def test_exploration_is_off_where_the_policy_says_so(policy: RetryPolicy) -> None:
    assert PLAN.next is not None
    assert tickets(PLAN, policy, FACTS.amount_minor) == (Ticket(PLAN.next, 1.0),)


def test_slots_are_drawn_as_often_as_was_said() -> None:
    drawn = Counter(draw(OF, replace(FACTS, seed=str(number))).option.at for number in range(4000))
    for ticket in OF:
        assert drawn[ticket.option.at] / 4000 == pytest.approx(ticket.probability, abs=0.03)
