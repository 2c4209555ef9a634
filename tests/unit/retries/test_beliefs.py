"""What is believed after what has happened: each answer moves the stories it speaks for and against."""

from dataclasses import replace

import pytest

from app.retries.beliefs import believe
from app.retries.facts import Card, CaseFacts, DeclineSignals
from app.retries.hypotheses import ADVISED, ALL, CAUSES, name_of
from app.retries.knowledge import SHIPPED
from tests.unit.retries.cases import NO_FUNDS, after, case, declined

DEBIT = Card("visa", "debit", "GB", "fp_visa")
OPAQUE = DeclineSignals(decline_code="do_not_honor")
TECHNICAL = DeclineSignals(decline_code="processing_error")


def by_cause(facts: CaseFacts) -> dict[str, float]:
    weights = believe(facts, SHIPPED).weights
    return {cause: float(weights[ALL.cause == number].sum()) for number, cause in enumerate(CAUSES)}


def weight_of(name: str, facts: CaseFacts) -> float:
    weights = believe(facts, SHIPPED).weights
    return sum(float(weight) for row, weight in enumerate(weights) if name in name_of(row))


@pytest.mark.parametrize("signals", [NO_FUNDS, OPAQUE, TECHNICAL, DeclineSignals(), DeclineSignals(decline_code="new")])
def test_weights_add_up_to_one_and_rule_nothing_out(signals: DeclineSignals) -> None:
    weights = believe(case(signals, retries=(declined(after(3), signals),)), SHIPPED).weights
    assert weights.sum() == pytest.approx(1)
    assert (weights[: ALL.paid] > 0).all()


def test_the_code_says_why() -> None:
    assert by_cause(case(NO_FUNDS))["empty"] > 0.9
    assert by_cause(case(TECHNICAL))["outage"] > 0.85
    assert 0.2 < by_cause(case(OPAQUE))["empty"] < 0.5


def test_a_failure_speaks_against_a_payday_that_was_just_then() -> None:
    facts = case(card=DEBIT, timezone="Europe/London")  # FAILED_AT is Monday, 2 November
    on_payday = case(card=DEBIT, timezone="Europe/London", retries=(declined(after(23)),))  # the 25th
    assert weight_of("monthly-25", on_payday) < 0.6 * weight_of("monthly-25", facts)
    assert weight_of("monthly-28", on_payday) > weight_of("monthly-28", facts)


def test_each_failure_makes_a_dead_card_likelier() -> None:
    tried = tuple(declined(after(day), OPAQUE) for day in (3, 10, 17, 24))
    dead = [by_cause(case(OPAQUE, retries=tried[:count]))["dead"] for count in range(5)]
    assert dead == sorted(dead)
    assert dead[-1] > 1.5 * dead[0]


def test_a_code_that_changes_speaks_for_the_causes_that_use_it() -> None:
    same = by_cause(case(OPAQUE, retries=(declined(after(3), OPAQUE),)))
    changed = by_cause(case(OPAQUE, retries=(declined(after(3), NO_FUNDS),)))
    assert changed["empty"] > 1.4 * same["empty"]


def test_the_day_an_issuer_names_is_half_believed() -> None:
    advice = DeclineSignals(decline_code="insufficient_funds", network_advice_code="27")
    beliefs = believe(case(advice, card=Card("mastercard", "debit", "US", "fp_mc")), SHIPPED)
    assert beliefs.advised == pytest.approx(4)
    assert beliefs.weights[ADVISED] == pytest.approx(0.5)
    silent = believe(case(card=Card("mastercard", "debit", "US", "fp_mc")), SHIPPED)
    assert silent.weights[ADVISED] == 0


def test_what_an_earlier_card_was_told_is_not_held_against_a_new_one() -> None:
    old = tuple(declined(after(day), OPAQUE, payment_method_id="pm_old") for day in (3, 6, 9))
    facts = case(OPAQUE, retries=(*old, declined(after(11), NO_FUNDS, payment_method_id="pm_new")))
    facts = replace(facts, payment_method_id="pm_new", new_card_at=after(10))
    assert by_cause(facts)["empty"] > 0.9


def test_what_a_customers_earlier_cases_taught_moves_their_own_calendar() -> None:
    facts = case(card=DEBIT)
    known = replace(facts, known_paydays=(("monthly-12", 3.0),))
    assert weight_of("monthly-12", known) > 10 * weight_of("monthly-12", facts)


def test_a_large_amount_needs_a_fuller_purse() -> None:
    small, large = (case(card=DEBIT, amount_minor=amount) for amount in (500, 50000))
    assert weight_of("pay_18", large) < weight_of("pay_18", small)
