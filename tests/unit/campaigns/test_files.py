"""Files of campaigns: read as YAML 1.2 with the line of what is wrong, written without what goes without saying."""

from pathlib import Path

import pytest

from app.campaigns.definition import ANNUAL, MONTHLY, CampaignDefinition, MessageStep
from app.campaigns.diffs import differences
from app.campaigns.files import CampaignFileInvalid, Entry, read_file, write_file
from app.campaigns.stored import read_stored

FILE = """\
campaigns:
  - slug: nordic
    name: Nordic customers
    segment:
      all:
        - country: [NO, SE]
        - amount: {usd: {at_least: 49.90}}
    exclude: {tag: internal}
    contact: {quiet_from: 21:00, quiet_until: 08:00}
    messages:
      - {key: first, kind: payment_failed, days: 0}
      - {key: promised, kind: reminder, days: 0.5, anchor: event, on: promise_broken}
  - slug: rest
    name: Everybody else
    default: true
"""


def entry(slug: str, definition: CampaignDefinition, **more: bool) -> Entry:
    return Entry(
        slug=slug, name=slug, **more, **{name: getattr(definition, name) for name in CampaignDefinition.model_fields}
    )


def test_norway_is_a_country_and_on_is_a_word() -> None:
    nordic = read_file(FILE).campaigns[0]
    assert nordic.segment is not None
    assert nordic.segment.parts()[0].country == ("NO", "SE")
    assert nordic.messages[1].on == "promise_broken"
    assert nordic.contact.quiet_from.hour == 21


def test_what_was_written_reads_as_the_same() -> None:
    file = read_file(FILE)
    assert read_file(write_file(file.campaigns)) == file
    standing = [entry("annual", ANNUAL), entry("monthly", MONTHLY, default=True)]
    written = write_file(standing)
    assert list(read_file(written).campaigns) == standing
    assert "exclude" not in written
    assert "null" not in written


def test_no_limit_is_not_the_default_and_is_written() -> None:
    endless = MONTHLY.model_copy(update={"retries": MONTHLY.retries.model_copy(update={"explore_up_to_dollars": None})})
    assert read_file(write_file([entry("monthly", endless, default=True)])).campaigns[0].definition() == endless


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("slug: rest", "slug: Rest!", "line 13: campaigns[2].slug: 'Rest!' will not do"),
        (
            "default: true",
            "defualt: true",
            "line 15: campaigns[2].defualt: there is no such field (did you mean default?)",
        ),
        ("    default: true\n", "", "line 13: campaigns[2]: segment is missing"),
        ("slug: rest", "slug: nordic", "the slug nordic is there twice"),
        (
            "on: promise_broken",
            "on: promise_broken, variants: [day3-b, B]",
            "variants[2]: 'B' will not do; use small letters, digits, - and _, 32 at most",
        ),
        ("kind: reminder", "kind: remind", "line 12: campaigns[1].messages[2].kind: 'remind' is not known; choose"),
        ("days: 0.5", "days: 40", "message promised is 40 days away, outside the window of 28 days; move it"),
        ("anchor: event, ", "", "line 12: campaigns[1].messages[2]: a step with anchor: event says which event"),
        ("{usd: {at_least: 49.90}}", "50", "line 7: campaigns[1].segment.all[2].amount: has to be a mapping"),
        ("21:00,", "9 pm,", "line 9: campaigns[1].contact.quiet_from: has to be a time of day, as in 21:00"),
        (
            "    default: true",
            "    default: true\n    retries: {ladder_days: [5, 3]}",
            "line 16: campaigns[2].retries.ladder_days: each day has to come after the one before",
        ),
        ("name: Everybody else", "name: ''", "line 14: campaigns[2].name: must not be empty"),
        ("    exclude:", "    segment: {tag: x}\n    exclude:", "line 8: segment is there twice; keep one"),
        ("campaigns:", "campaign:", "the file has to begin with `campaigns:`"),
        ("[NO, SE]", "[NO, SE", "this is no YAML"),
        ("{tag: internal}", "&x {tag: internal}\n    page: *x", "line 9: a *name stands for something"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_what_to_do(before: str, after: str, told: str) -> None:
    with pytest.raises(CampaignFileInvalid) as caught:
        read_file(FILE.replace(before, after))
    assert told in str(caught.value)


def test_the_example_of_the_docs_can_be_applied() -> None:
    text = (Path(__file__).parents[3] / "docs" / "campaigns.md").read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    assert [entry.slug for entry in read_file(example).campaigns] == ["enterprise", "monthly"]


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(CampaignFileInvalid, match="3 things to mend"):
        read_file(
            FILE.replace("days: 0}", "days: -1}").replace("[NO, SE]", "[NO, XX]").replace("slug: rest", "slug: R")
        )


def test_how_parts_go_together_is_told_beside_parts_that_cannot_be_read() -> None:
    text = """\
campaigns:
  - slug: nordic
    name: ''
    window_days: 20
    grace_days: many
    segment: {country: XX}
    messages:
      - {key: first, kind: payment_failed, days: 0, colour: red}
      - {key: last, kind: reminder, days: 25}
      - {key: last, kind: reminder, days: soon}
      - {key: hello, kind: reminder, days: 1, anchor: event}
    final_action: {kind: downgrade}
  - slug: nordic
    name: Rest
    archived: true
    default: true
  - {slug: third, name: Third, default: true}
  - {slug: nobody, name: Nobody}
"""
    with pytest.raises(CampaignFileInvalid) as caught:
        read_file(text)
    told = str(caught.value).splitlines()
    expected = [
        "line 3: campaigns[1].name: must not be empty",
        "line 5: campaigns[1].grace_days: has to be a number",
        "line 6: campaigns[1].segment.country: XX is not a code that is known",
        "line 8: campaigns[1].messages[1].colour: there is no such field",
        "line 9: campaigns[1].messages[2].days: message last is 25 days away, outside the window of 20 days",
        "line 10: campaigns[1].messages[3].days: has to be a number",
        "line 10: campaigns[1].messages[3].key: two messages have the key last",
        "line 11: campaigns[1].messages[4]: a step with anchor: event says which event",
        "line 12: campaigns[1].final_action: prices (currency to price id) are needed for a downgrade",
        "line 13: campaigns[2].slug: the slug nordic is there twice",
        "line 15: campaigns[2].archived: the default campaign cannot be archived",
        "line 17: campaigns[3].default: two campaigns say `default: true`",
        "line 18: campaigns[4]: segment is missing",
    ]
    missing = [each for each in expected if not any(line.startswith(each) for line in told)]
    assert missing == []
    assert told[0] == f"the file has {len(expected)} things to mend:"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "campaigns:",
        "campaigns: []",
        "campaigns: 3",
        "- 1",
        "campaigns: [1]",
        "\x00",
        "[1]: 2",
        "1: 2",
        "campaigns: {? [a] : b}",
        "campaigns: !!timestamp x",
    ],
)
def test_a_file_of_something_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(CampaignFileInvalid):
        read_file(text)


def test_a_huge_file_is_refused_unread() -> None:
    with pytest.raises(CampaignFileInvalid, match="split it"):
        read_file("#" * 600_000)


def test_differences_name_the_field_and_both_values() -> None:
    longer = MONTHLY.model_copy(
        update={
            "window_days": 35,
            "messages": (*MONTHLY.messages[:-1], MessageStep(key="last", kind="final_notice", days=3, anchor="end")),
        }
    )
    told = [str(change) for change in differences(MONTHLY, longer)]
    assert "~ window_days: 28 → 35" in told
    assert "+ messages.last: kind final_notice, days 3, anchor end" in told
    at_once = MONTHLY.model_copy(update={"messages": (MessageStep(key="last", kind="final_notice", days=0),)})
    assert "+ messages.last: kind final_notice, days 0" in map(str, differences(MONTHLY, at_once))
    assert any(change.startswith("- messages.final_notice") for change in told)
    assert differences(MONTHLY, MONTHLY) == []
    assert any("segment" in str(change) for change in differences(MONTHLY, ANNUAL))


def test_versions_of_before_mean_what_they_meant() -> None:
    old = {"intervals": ["year"], "window_days": 60, "retries": {"ladder_days": [1, 3]}, "messages": []}
    read = read_stored(old)
    assert read.intervals == ("year",)
    assert read.retries.timing == "ladder"
    assert read.silent_hours == 0
    assert (read.contact.gap_hours, read.exclude) == (20, None)
    assert read_stored({"intervals": []}).segment is None
    assert read_stored({"retries": {"ladder_days": [5, 3, 3, 0.1]}}).retries.ladder_days == (0.5, 3, 5)
    assert read_stored(MONTHLY.model_dump(mode="json")) == MONTHLY


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"messages": [{"key": "a", "kind": "reminder", "days": 1, "variants": ["x"]}]}, "at least two"),
        ({"messages": [{"key": "a", "kind": "reminder", "days": 1, "on": "mail_bounced"}]}, "anchor: event"),
        ({"page": {"retention": [{"kind": "pause"}]}}, "give a pause its months"),
        ({"page": {"retention": [{"kind": "cancel"}, {"kind": "cancel"}]}}, "at most once"),
        ({"contact": {"quiet_from": "21:00+01:00"}}, "leave the zone away"),
        ({"final_action": {"kind": "downgrade"}}, "prices"),
        ({"retries": {"min_gap_hours": float("inf")}}, "finite"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(content: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        CampaignDefinition.model_validate(content)
