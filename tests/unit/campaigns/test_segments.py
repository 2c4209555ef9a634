"""The rule language: what is refused and with which words, and whom rules fit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from app.campaigns.definition import CampaignDefinition
from app.campaigns.matching import SegmentFacts, matches
from app.campaigns.problems import problems_of
from app.campaigns.rows import from_rows, to_rows
from app.campaigns.segments import DECLINE_CLASSES, INTERVALS, Rule
from app.campaigns.words import say
from app.money import Money
from app.retries.meanings import DeclineClass

GERTRUD = SegmentFacts(
    plan="Team",
    price_id="price_team",
    product_id="prod_1",
    interval="month",
    amount=Money(4900, "eur"),
    country="DE",
    tenure_days=400,
    decline_class="soft_timed",
    failures_last_year=2,
    tags=frozenset({"VIP"}),
    metadata={"tier": "gold"},
    lifetime_value={"eur": 60000},
)


def fits(rule: dict[str, Any], facts: SegmentFacts = GERTRUD) -> bool | None:
    return matches(Rule.model_validate(rule), facts)


@pytest.mark.parametrize(
    "rule",
    [
        {"plan": "team"},
        {"plan": ["price_team", "Other"]},
        {"product": ["prod_1"]},
        {"interval": ["month", "year"]},
        {"amount": {"eur": {"at_least": 49, "at_most": "49.00"}}},
        {"currency": ["EUR"]},
        {"country": ["at", "de"]},
        {"tenure_days": {"at_least": 400}},
        {"decline_class": ["soft_timed"]},
        {"failures_last_year": {"at_most": 2}},
        {"tag": ["vip"]},
        {"metadata": {"tier": ["silver", "gold"]}},
        {"metadata": {"tier": []}},
        {"lifetime_value": {"eur": {"at_least": 600}}},
        {"all": [{"country": "DE"}, {"any": [{"tag": "none"}, {"plan": "Team"}]}]},
        {"none": [{"country": "FR"}, {"tag": "internal"}]},
    ],
)
def test_a_rule_fits_the_customer_it_describes(rule: dict[str, Any]) -> None:
    assert fits(rule) is True
    assert fits({"none": [rule]}) is False


@pytest.mark.parametrize(
    "rule",
    [
        {"plan": "Business"},
        {"interval": "year"},
        {"amount": {"usd": {"at_least": 0}}},
        {"amount": {"eur": {"at_least": "49.01"}}},
        {"country": "US"},
        {"tenure_days": {"at_most": 399}},
        {"failures_last_year": {"at_least": 3}},
        {"metadata": {"tier": "bronze"}},
        {"metadata": {"colour": []}},
        {"lifetime_value": {"usd": {"at_least": 1}}},
    ],
)
def test_a_rule_does_not_fit_others(rule: dict[str, Any]) -> None:
    assert fits(rule) is False


@pytest.mark.parametrize("key", ["country", "plan", "product", "interval", "currency"])
def test_what_is_not_known_of_a_customer_is_a_no(key: str) -> None:
    words = {"country": "DE", "interval": "month", "currency": "eur"}
    assert fits({key: words.get(key, "x")}, SegmentFacts()) is False
    assert fits({"tenure_days": {"at_least": 0}}, SegmentFacts()) is False


def test_before_a_decline_its_class_is_neither_yes_nor_no_unless_the_rest_decides() -> None:
    today = SegmentFacts(country="DE")
    soft = {"decline_class": ["soft_fast"]}
    assert fits(soft, today) is None
    assert fits({"none": [soft]}, today) is None
    assert fits({"all": [soft, {"country": "FR"}]}, today) is False
    assert fits({"any": [soft, {"country": "DE"}]}, today) is True
    assert fits({"all": [soft, {"country": "DE"}]}, today) is None


def test_currencies_without_minor_units_are_compared_as_they_are_counted() -> None:
    yen = SegmentFacts(amount=Money(5000, "jpy"))
    assert fits({"amount": {"jpy": {"at_least": 5000, "at_most": 5000}}}, yen) is True
    dinar = SegmentFacts(amount=Money(5125, "kwd"))
    assert fits({"amount": {"kwd": {"at_least": "5.125", "at_most": "5.125"}}}, dinar) is True


def test_the_kinds_of_decline_are_those_that_declines_are_sorted_into() -> None:
    assert set(DECLINE_CLASSES) == {each.value for each in DeclineClass}


@pytest.mark.parametrize(
    ("rule", "where", "words"),
    [
        ({"contry": ["DE"]}, "segment.contry", "did you mean country?"),
        ({"country": ["Germany"]}, "segment.country", "GERMANY is not a code that is known"),
        ({"currency": ["euros"]}, "segment.currency", "as in [usd, eur]"),
        ({"country": ["DE"], "plan": "x"}, "segment", "plan and country"),
        ({}, "segment", "says nothing"),
        ({"all": []}, "segment", "all is empty"),
        ({"any": [{"interval": "decade"}]}, "segment.any[1].interval[1]", "'decade' is not known"),
        ({"amount": {"jpy": {"at_least": 1.5}}}, "segment.amount", "more than 0 digits"),
        ({"amount": {"usd": 50}}, "segment.amount.usd", "has to be a mapping"),
        ({"amount": {"usd": {}}}, "segment.amount.usd", "say at_least, at_most or both"),
        ({"tenure_days": {"at_least": 9, "at_most": 3}}, "segment.tenure_days", "exchange them"),
        ({"tenure_days": {"at_least": -1}}, "segment.tenure_days.at_least", "has to be at least 0"),
        ({"plan": ""}, "segment.plan[1]", "must not be empty"),
    ],
)
def test_what_is_refused_names_the_field_and_says_what_to_do(rule: dict[str, Any], where: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CampaignDefinition.model_validate({"segment": rule})
    found = problems_of(caught.value, CampaignDefinition)
    assert [problem.where for problem in found] == [where]
    assert words in found[0].text
    assert "Value error" not in found[0].text


def test_a_segment_that_nobody_could_read_is_refused() -> None:
    deep: dict[str, Any] = {"tag": "x"}
    for _ in range(5):
        deep = {"all": [deep]}
    with pytest.raises(ValidationError, match="deep"):
        CampaignDefinition.model_validate({"segment": deep})
    with pytest.raises(ValidationError, match="list several words in one"):
        CampaignDefinition.model_validate({"segment": {"any": [{"tag": str(number)} for number in range(80)]}})


WORDS = some.text("abcXYZ 09_-", min_size=1, max_size=8).map(str.strip).filter(bool)
ENDS = some.one_of(
    some.builds(lambda low: {"at_least": low}, some.integers(0, 500)),
    some.builds(lambda high: {"at_most": high}, some.integers(0, 500)),
    some.builds(lambda low, more: {"at_least": low, "at_most": low + more}, some.integers(0, 500), some.integers(0, 9)),
)
SIMPLE = some.one_of(
    some.builds(lambda words: {"plan": words}, some.lists(WORDS, min_size=1, max_size=3)),
    some.builds(lambda words: {"tag": words}, some.lists(WORDS, min_size=1, max_size=3)),
    some.builds(lambda words: {"interval": words}, some.lists(some.sampled_from(INTERVALS), min_size=1, max_size=2)),
    some.builds(lambda codes: {"country": codes}, some.lists(some.sampled_from(["DE", "US", "NO"]), min_size=1)),
    some.builds(lambda ends: {"tenure_days": ends}, ENDS),
    some.builds(lambda ends: {"failures_last_year": ends}, ENDS),
    some.builds(lambda ends, code: {"amount": {code: ends}}, ENDS, some.sampled_from(["usd", "jpy", "kwd"])),
    some.builds(lambda ends: {"lifetime_value": {"usd": ends, "eur": ends}}, ENDS),
    some.builds(lambda key, words: {"metadata": {key: words}}, WORDS, some.lists(WORDS, max_size=2)),
    some.builds(lambda words: {"decline_class": words}, some.lists(some.sampled_from(DECLINE_CLASSES), min_size=1)),
)
RULES = some.recursive(
    SIMPLE,
    lambda inner: some.builds(
        lambda joint, parts: {joint: parts},
        some.sampled_from(["all", "any", "none"]),
        some.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
PEOPLE = some.builds(
    SegmentFacts,
    plan=some.none() | WORDS,
    interval=some.none() | some.sampled_from(INTERVALS),
    amount=some.none() | some.builds(Money, some.integers(0, 60000), some.sampled_from(["usd", "jpy", "kwd", "eur"])),
    country=some.none() | some.sampled_from(["DE", "US", "NO"]),
    tenure_days=some.none() | some.integers(0, 600),
    decline_class=some.none() | some.sampled_from(DECLINE_CLASSES),
    failures_last_year=some.integers(0, 600),
    tags=some.frozensets(WORDS, max_size=2),
    metadata=some.dictionaries(WORDS, WORDS, max_size=2),
    lifetime_value=some.dictionaries(some.sampled_from(["usd", "eur"]), some.integers(0, 60000), max_size=2),
)


@given(RULES, PEOPLE)
def test_rows_of_a_form_say_what_the_segment_said(rule: dict[str, Any], facts: SegmentFacts) -> None:
    segment = Rule.model_validate(rule)
    found = to_rows(segment)
    if found is not None:
        again = Rule.model_validate(from_rows(*found))
        assert matches(again, facts) == matches(segment, facts)


@given(RULES)
def test_a_segment_survives_being_stored_and_can_be_said(rule: dict[str, Any]) -> None:
    segment = Rule.model_validate(rule)
    assert Rule.model_validate(segment.model_dump(mode="json")) == segment
    assert say(segment)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"none": [{"country": "DE"}]}, "not customer in DE"),
        ({"none": [{"country": "DE"}, {"tag": "vip"}]}, "neither customer in DE nor tagged vip"),
        ({"all": [{"plan": "Team"}, {"none": [{"tag": "vip"}]}]}, "plan Team and not tagged vip"),
    ],
)
def test_what_must_not_be_so_is_said_as_one_would(rule: dict[str, Any], said: str) -> None:
    assert say(Rule.model_validate(rule)) == said


@given(RULES, PEOPLE, some.sampled_from(DECLINE_CLASSES))
def test_a_certain_answer_holds_whatever_the_decline_turns_out_to_be(
    rule: dict[str, Any], facts: SegmentFacts, decline: str
) -> None:
    segment = Rule.model_validate(rule)
    before = matches(segment, SegmentFacts(**{**vars(facts), "decline_class": None}))
    after = matches(segment, SegmentFacts(**{**vars(facts), "decline_class": decline}))
    assert after is not None
    assert before in (None, after)
