"""No decision breaks a rule, whatever the world answers; a decision depends on nothing but what it was given."""

import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.retries.decisions import Reason, RetryAt
from app.retries.declines import classify
from app.retries.explain import explain
from app.retries.facts import DeclineSignals, RetryPolicy
from app.retries.planner import decide
from tests.unit.retries.adversary import any_signals, any_story
from tests.unit.retries.cases import FAILED_AT, after, case, declined
from tests.unit.retries.judge import judge

SEEDS = st.integers(min_value=0, max_value=10**9)


@given(SEEDS)
@settings(max_examples=200, deadline=None)
def test_no_charge_breaks_a_rule_in_a_world_that_wants_it_to(seed: int) -> None:
    story = any_story(seed)
    story.run()
    assert story.complaints == []


def test_the_stories_are_rich_enough_to_prove_something() -> None:
    charges = []
    for seed in range(150):
        story = any_story(seed)
        story.run()
        charges += story.charges
    rules = {rule.split()[0] for charge in charges for rule in charge.rules}
    assert len(charges) > 150
    assert {charge.reason for charge in charges} == {Reason.LADDER, Reason.PLANNED, Reason.PROMISED, Reason.NEW_CARD}
    assert {"ladder_day", "min_gap", "wait_after", "budget", "local_hours", "overdue"} <= rules
    assert {"plan", "explored", "promised", "technical_gap"} <= rules


def test_the_judge_sees_a_broken_rule() -> None:
    facts = case(DeclineSignals(decline_code="lost_card"), retries=(declined(after(1)),))
    facts = replace(facts, attempts=tuple(replace(a, fingerprint="fp_visa", brand="visa") for a in facts.attempts))
    complaints = judge(facts, RetryPolicy(), after(2), RetryAt(after(1.5), Reason.LADDER, ()))
    assert {text.split(":")[0] for text in complaints} == {"before now", "absolute", "gap"}


@given(SEEDS, st.integers(min_value=0, max_value=24 * 70))
@settings(max_examples=60, deadline=None)
def test_a_decision_is_a_function_of_its_arguments_and_the_order_of_attempts_is_none(seed: int, hours: int) -> None:
    story = any_story(seed)
    story.run(steps=8)
    facts, now = story.facts, FAILED_AT + timedelta(hours=hours)
    shuffled = list(facts.attempts)
    random.Random(seed).shuffle(shuffled)
    first = decide(facts, story.policy, now)
    assert (
        first == decide(facts, story.policy, now) == decide(replace(facts, attempts=tuple(shuffled)), story.policy, now)
    )


@given(SEEDS, st.integers(min_value=0, max_value=24 * 70))
@settings(max_examples=60, deadline=None)
def test_every_decision_can_be_explained_in_one_or_two_sentences(seed: int, hours: int) -> None:
    story = any_story(seed)
    story.run(steps=12)
    now = FAILED_AT + timedelta(hours=hours)
    text = explain(decide(story.facts, story.policy, now), story.facts, story.policy, now)
    assert text.endswith(".")
    assert "None" not in text
    assert 1 <= text.count(". ") + 1 <= 2


@given(SEEDS, st.sampled_from(["visa", "mastercard", "amex", "discover", "jcb", "", None]))
@settings(max_examples=200, deadline=None)
def test_more_signals_never_allow_what_one_of_them_forbids_for_good(seed: int, brand: str | None) -> None:
    signals = any_signals(random.Random(seed))
    whole = classify(signals, brand)
    for name, value in vars(signals).items():
        alone = classify(DeclineSignals(**{name: value}), brand)
        assert not (alone.is_absolute and whole.may_retry)
