"""Learning from an account's own cases: slowly from few, surely from many, never trusted when it forecasts worse."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from app.retries.calibration import calibrated
from app.retries.calibration_fit import Forecast, fit_calibration
from app.retries.customers import paydays_of
from app.retries.evaluation import load_world, make_contestant, policy_of
from app.retries.facts import Card, CaseFacts
from app.retries.knowledge import PRIOR_POSTINGS, SHIPPED, Knowledge, UnreadableCounts, prior_paydays, read_knowledge
from app.retries.learning import learn
from app.retries.measuring.contest import play
from app.retries.paydays import POSTINGS
from app.retries.planning import make_plan
from tests.unit.retries.cases import case, declined


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 11, tzinfo=UTC)


@cache
def history() -> tuple[CaseFacts, ...]:
    """What evenly spaced tries went through in the world whose paydays nobody expects."""
    cases = load_world("foreign_calendars").cases(240, np.random.default_rng(5))
    planner, policy = make_contestant("even"), policy_of(28, 4)
    return tuple(play(planner, each, policy, f"c{n}", lambda: 0.0).facts for n, each in enumerate(cases))


@cache
def learnt() -> Knowledge:
    return learn(history()).knowledge


def test_unexpected_paydays_are_found() -> None:
    found = learnt().paydays["GB|debit"]
    near = sum(count for name, count in found.items() if name in {f"monthly-{day}" for day in (6, 7, 8, 11, 12, 13)})
    assert near > 0.35 * sum(found.values())
    shipped = prior_paydays("uk", "debit")
    assert shipped.sum() == pytest.approx(1)


def test_a_country_whose_pay_is_posted_after_work_is_found_out() -> None:
    def paid_on_friday_evening(number: int) -> CaseFacts:
        wednesday = at(1, 7) + timedelta(days=7 * (number % 40))
        tries = [declined(wednesday), declined(wednesday + timedelta(days=2))]
        tries.append(declined(wednesday + timedelta(days=3), outcome="approved"))
        card = Card("visa", "debit", "GB", f"fp_{number}")
        return case(card=card, timezone="Europe/London", failed_at=wednesday, attempts=tuple(tries))

    late = learn([paid_on_friday_evening(number) for number in range(60)]).knowledge.postings["GB"]
    share = late["evening"] / sum(late.values())
    assert share > 2 * PRIOR_POSTINGS[POSTINGS.index("evening")]


def test_counts_from_before_hours_were_learnt_are_read() -> None:
    older = json.loads(learnt().to_json())
    del older["postings"]
    assert read_knowledge(json.dumps(older)).postings == {}


def test_the_plan_follows_what_was_learnt() -> None:
    cases = load_world("foreign_calendars").cases(120, np.random.default_rng(6))
    policy = policy_of(28, 4)
    shares = []
    for knowledge in (SHIPPED, learnt()):
        planner = make_contestant("recoup", knowledge)
        shares.append(np.mean([play(planner, each, policy, "x", lambda: 0.0).recovered for each in cases]))
    assert shares[1] >= shares[0] + 0.03


def test_a_few_cases_teach_nothing_yet_and_say_so() -> None:
    lesson = learn(history()[:20])
    assert lesson.knowledge is SHIPPED
    assert not lesson.is_used
    assert "20 cases are too few" in lesson.reason


def test_what_forecasts_worse_than_the_prior_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """For long nothing is ever approved, then everything is: who has learnt forecasts the new days worse."""
    monkeypatch.setattr("app.retries.learning.RECENT", 30)
    long_ago = [replace(each, attempts=tuple(replace(a, outcome="declined") for a in each.attempts))
                for each in history()[30:]]  # fmt: skip
    lately = [
        replace(each, failed_at=each.failed_at + timedelta(days=700), attempts=tuple(
            replace(a, at=a.at + timedelta(days=700), outcome="approved" if number else "declined")
            for number, a in enumerate(each.attempts[:2])))
        for each in history()[:30]
    ]  # fmt: skip
    lesson = learn([*long_ago, *lately])
    assert not lesson.is_used
    assert "the prior is used" in lesson.reason


def test_learning_is_the_same_whatever_the_order_of_cases() -> None:
    some = history()[:60]
    assert learn(some).knowledge.to_json() == learn(some[::-1]).knowledge.to_json()


def test_an_old_case_counts_for_less() -> None:
    fresh = learnt().causes["no_funds"]
    old = [replace(each, failed_at=each.failed_at - timedelta(days=900), attempts=tuple(
        replace(a, at=a.at - timedelta(days=900)) for a in each.attempts)) for each in history()[:-1]]  # fmt: skip
    faded = learn([*old, history()[-1]]).knowledge.causes.get("no_funds", {"empty": 0.0})
    assert faded["empty"] < 0.8 * fresh["empty"]


def test_counts_go_out_and_come_back_and_hold_no_person() -> None:
    text = learnt().to_json()
    again = read_knowledge(text)
    assert again.to_json() == text
    assert again.version == learnt().version != SHIPPED.version
    assert "fp_" not in text
    assert "@" not in text


WEATHER = '{"calibration": {}, "cases": 0, "causes": {"no_funds": {"weather": 1}}, "purses": {}, "paydays": {}}'


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cases": 1}', WEATHER])
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(UnreadableCounts, match="export them anew"):
        read_knowledge(text)


def test_imported_counts_are_where_learning_begins() -> None:
    facts = case()
    imported = read_knowledge(learnt().to_json())
    assert learn(history()[:10], imported).knowledge is imported
    assert make_plan(facts, policy_of(28, 4), imported).tries


def test_calibration_brings_overconfident_forecasts_down_and_what_is_unknown_part_of_the_way() -> None:
    rng = np.random.default_rng(1)
    said = rng.uniform(0.1, 0.9, 2000)
    fitted = fit_calibration([Forecast("opaque", float(p), bool(rng.random() < 0.6 * p)) for p in said])
    knowledge = Knowledge(calibration=fitted)
    assert calibrated(0.5, "opaque", knowledge) == pytest.approx(0.3, abs=0.06)
    assert 0.3 < calibrated(0.5, "limit", knowledge) < 0.45
    assert fit_calibration([]) == {}


def test_a_few_forecasts_that_failed_move_the_calibration_little() -> None:
    knowledge = Knowledge(calibration=fit_calibration([Forecast("no_funds", 0.4, False)] * 5))
    assert calibrated(0.4, "no_funds", knowledge) > 0.3


def test_a_customer_who_paid_on_their_day_before_is_expected_to_again() -> None:
    card = Card("visa", "debit", "GB", "fp")
    paid = [
        case(card=card, timezone="Europe/London", failed_at=at(month, 2), attempts=tries)
        for month in (7, 8, 10)
        for tries in [(declined(at(month, 2)), declined(at(month, 9)), declined(at(month, 12), outcome="approved"))]
    ]
    known = paydays_of(paid)
    assert len(known) == 5
    assert known[0][0] in {"monthly-10", "monthly-11", "monthly-12"}
    assert paydays_of(()) == ()
