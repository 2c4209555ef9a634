"""A decision is written down completely enough to be made again, bit for bit."""

from dataclasses import replace
from json import dumps, loads

import pytest

from app.retries.facts import Card, DeclineSignals, RetryPolicy
from app.retries.knowledge import Knowledge
from app.retries.planner import consider
from app.retries.records import Record, UnreadableRecord, read_record
from app.retries.replaying import OtherKnowledge, replay
from tests.unit.retries.adversary import any_story
from tests.unit.retries.cases import SOON, after, case, declined

POLICY = RetryPolicy(timing="planned")
FACTS = replace(
    case(DeclineSignals(decline_code="do_not_honor"), card=Card("visa", "debit", "US", "fp"), timezone="Asia/Tokyo"),
    known_paydays=(("monthly-25", 1.5),),
)


def recorded() -> Record:
    record = consider(FACTS, POLICY, SOON).record
    assert record is not None
    return record


def test_a_decision_is_made_again_from_its_record_alone() -> None:
    first = recorded()
    assert replay(first.to_json()) == first
    assert replay(first.to_json()).to_json() == first.to_json()


def test_decisions_of_stories_that_met_everything_are_made_again() -> None:
    replayed = 0
    for seed in range(150):
        story = any_story(seed)
        story.run(steps=2)
        policy = replace(story.policy, timing="planned", mode="drive")
        record = consider(replace(story.facts, stripe_next_attempt_at=None), policy, story.now).record
        if record:
            replayed += 1
            assert replay(record.to_json()) == record
    assert replayed > 5


def test_the_record_tells_what_could_have_been_chosen_and_what_it_cost() -> None:
    record = recorded()
    assert record.propensity == record.candidates[record.choice].probability
    assert sum(each.probability for each in record.candidates) == pytest.approx(1)
    assert record.budget[0] == ("card_30d", 1, 10)
    assert 0 < len(record.stories) <= 10


def test_other_knowledge_is_refused() -> None:
    with pytest.raises(OtherKnowledge, match="was made with knowledge"):
        replay(recorded().to_json(), Knowledge(causes={"no_funds": {"empty": 3.0}}))


@pytest.mark.parametrize("part", ["facts", "policy", "now", "knowledge"])
def test_a_record_without_a_part_is_unreadable(part: str) -> None:
    content = loads(recorded().to_json())
    content.pop(part)
    with pytest.raises((UnreadableRecord, KeyError)):
        replay(dumps(content))


def test_facts_survive_the_way_through_json() -> None:
    rich = replace(FACTS, promised_for=after(9), hold_until=after(2), hold_reason="snooze", new_card_at=after(1),
                   attempts=(*FACTS.attempts, declined(after(1.5), payment_method_id="pm_1")))  # fmt: skip
    record = consider(replace(rich, hold_reason=None, promised_for=None), POLICY, after(2)).record
    assert record is not None
    facts, policy, now, _ = read_record(record.to_json())
    assert (facts, policy, now) == (replace(rich, hold_reason=None, promised_for=None), POLICY, after(2))
