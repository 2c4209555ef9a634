"""The plan of one case: which moments are chosen, and that they stay chosen until something happens."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.retries.beliefs import believe
from app.retries.choice import Board, choose
from app.retries.curves import outlook
from app.retries.decisions import AskCustomer, Reason, RetryAt
from app.retries.explain import explain
from app.retries.facts import Card, CaseFacts, DeclineSignals, RetryPolicy
from app.retries.hypotheses import ALL
from app.retries.knowledge import SHIPPED
from app.retries.moments import moments
from app.retries.planner import decide
from app.retries.planning import make_plan
from tests.unit.retries.cases import FAILED_AT, NO_FUNDS, SOON, after, case, declined

PLANNED = RetryPolicy(timing="planned", max_attempts=4, exploration_loss=0)
DEBIT = Card("visa", "debit", "GB", "fp_visa")
LONDON = "Europe/London"
BRITISH = case(card=DEBIT, timezone=LONDON)


def board(facts: CaseFacts, days: range) -> Board:
    beliefs = believe(facts, SHIPPED)
    at = moments(facts, [FAILED_AT, *(after(day) for day in days)])
    seen = outlook(ALL, at, beliefs.table, beliefs.advised)
    return Board(seen, beliefs.weights, 0.997**at.after, 0.004, 2.0)


def value_by_hand(of: Board, columns: tuple[int, ...]) -> float:
    alive, value, last = of.weights.copy(), 0.0, 0
    for column in columns:
        chance = of.seen.after_failure(last, slice(column, column + 1))[:, 0]
        value += float((alive * (of.worth[column] * chance - of.cost)).sum())
        alive, last = alive * (1 - chance), column
    return value


@pytest.mark.parametrize("columns", [(), (4,), (9, 21), (3, 11, 20)])
def test_the_value_of_a_set_is_what_counting_by_hand_gives(columns: tuple[int, ...]) -> None:
    of = board(BRITISH, range(1, 28))
    values = of.values_with(columns)
    for column in np.flatnonzero(np.isfinite(values)) + 1:
        by_hand = value_by_hand(of, tuple(sorted((*columns, int(column)))))
        assert values[column - 1] == pytest.approx(by_hand)


def test_the_chosen_set_is_nearly_the_best_of_all_sets() -> None:
    of = board(BRITISH, range(1, 28))
    sets = [each for each in combinations(range(1, 28), 2) if each[1] - each[0] >= 2]
    best = max(value_by_hand(of, each) for each in sets)
    assert choose(of, 2).value >= 0.995 * best


def test_the_tries_keep_the_gap_and_the_window_and_local_mornings() -> None:
    plan = make_plan(BRITISH, PLANNED)
    assert len(plan.tries) == 4
    assert all(
        later - earlier >= timedelta(hours=48) for earlier, later in zip(plan.tries, plan.tries[1:], strict=False)
    )
    assert all(FAILED_AT < at < after(28) for at in plan.tries)
    assert {at.astimezone(ZoneInfo(LONDON)).hour for at in plan.tries} <= {9, 17, 18}


def test_the_hour_of_the_day_stays_when_the_clocks_change() -> None:
    failed = datetime(2026, 10, 20, 12, tzinfo=ZoneInfo("UTC"))
    facts = replace(BRITISH, failed_at=failed, attempts=(declined(failed, source="stripe"),))
    hours = {at.astimezone(ZoneInfo(LONDON)).strftime("%H") for at in make_plan(facts, PLANNED).tries[1:]}
    assert hours == {"09"}


def test_a_british_debit_card_is_tried_around_the_ends_of_the_month() -> None:
    days = {at.astimezone(ZoneInfo(LONDON)).day for at in make_plan(BRITISH, PLANNED).tries}
    assert days & {25, 26, 27, 28}


def test_an_outage_is_tried_again_within_hours() -> None:
    decision = decide(case(DeclineSignals(decline_code="processing_error"), timezone=LONDON), PLANNED, SOON)
    assert isinstance(decision, RetryAt)
    assert decision.at <= after(hours=12)


def test_the_second_try_after_an_outage_needs_no_two_days() -> None:
    signals = DeclineSignals(decline_code="processing_error")
    facts = case(signals, retries=(declined(after(hours=2), signals),), timezone=LONDON)
    decision = decide(facts, PLANNED, after(hours=2))
    assert isinstance(decision, RetryAt)
    assert after(hours=8) <= decision.at < after(hours=50)


def test_asking_again_changes_nothing_until_something_happens() -> None:
    first = decide(BRITISH, PLANNED, SOON)
    assert isinstance(first, RetryAt)
    for part in (0.3, 0.7, 1.0):
        assert decide(BRITISH, PLANNED, SOON + part * (first.at - SOON)) == first


def test_a_plan_whose_moment_has_passed_is_carried_out_at_once() -> None:
    decision = decide(BRITISH, PLANNED, after(20))
    assert isinstance(decision, RetryAt)
    assert decision.at == after(20)
    assert "overdue" in decision.rules


def test_a_promise_moves_the_try_to_its_day() -> None:
    promised = datetime(2026, 11, 13, 11, tzinfo=ZoneInfo("UTC"))
    decision = decide(replace(BRITISH, promised_for=promised), PLANNED, SOON)
    assert decision == RetryAt(promised, Reason.PROMISED, ("promised",))


def test_a_promise_that_a_try_has_tested_is_over() -> None:
    facts = replace(BRITISH, promised_for=after(3), attempts=(*BRITISH.attempts, declined(after(3.1))))
    decision = decide(facts, PLANNED, after(3.2))
    assert isinstance(decision, RetryAt)
    assert decision.reason == Reason.PLANNED


@pytest.mark.parametrize("years", [1, 3, 4, 6, 25])
def test_what_was_tried_years_ago_tells_nothing_of_today_and_breaks_nothing(years: int) -> None:
    long_ago = replace(BRITISH, attempts=(declined(after(-365 * years)),))
    known = make_plan(long_ago, PLANNED)
    assert known.tries == make_plan(replace(BRITISH, attempts=()), PLANNED).tries
    assert isinstance(decide(long_ago, PLANNED, SOON), RetryAt)


def test_a_try_that_is_not_worth_its_cost_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.retries.planning.COST_OF_TRY", 0.9)
    never_planned_for = replace(BRITISH, seed="a case of its own")
    decision = decide(never_planned_for, PLANNED, SOON)
    assert decision == AskCustomer(Reason.NOT_WORTH_A_TRY, "new_card", after(28))


def test_a_floor_closes_slots_and_is_named() -> None:
    facts = case(DeclineSignals(decline_code="insufficient_funds", network_advice_code="29"),
                 card=Card("mastercard", "debit", "US", "fp_mc"))  # fmt: skip
    plan = make_plan(facts, PLANNED)
    assert plan.tries[0] >= after(8)
    assert [closed.rule for closed in plan.slots.closed] == ["wait_after mastercard_advice:29"]


def test_the_explanation_names_the_chance_the_next_best_and_the_budget() -> None:
    text = explain(decide(BRITISH, PLANNED, SOON), BRITISH, PLANNED, SOON)
    for part in ("(Europe/London) with a chance of ", "% on", "next best ", "most likely there was no money",
                 "try 1 of 4 on this invoice, 1 of 10 tries on this card in 30 days"):  # fmt: skip
        assert part.lower() in text.lower() or part == "% on", text


def test_a_case_without_zone_or_country_is_planned_all_the_same() -> None:
    facts = replace(case(NO_FUNDS), card=None, timezone=None, currency="xyz")
    assert len(make_plan(facts, PLANNED).tries) == 4
