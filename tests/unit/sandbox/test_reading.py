"""Decoding forms, reading parameters, and counting periods."""

from datetime import UTC, datetime

import pytest

from app.sandbox.errors import StripeRefusal
from app.sandbox.forms import decode
from app.sandbox.ledger import difference
from app.sandbox.params import Params, merged_metadata
from app.sandbox.periods import later, next_boundary


def test_brackets_nest_mappings_and_lists() -> None:
    pairs = [
        ("items[0][price]", "price_1"),
        ("items[0][quantity]", "2"),
        ("items[1][id]", "si_1"),
        ("expand[]", "a"),
        ("expand[]", "b.c"),
        ("metadata[7]", ""),
        ("off_session", "true"),
    ]
    assert decode(pairs) == {
        "items": [{"price": "price_1", "quantity": "2"}, {"id": "si_1"}],
        "expand": ["a", "b.c"],
        "metadata": [""],
        "off_session": "true",
    }


def test_ten_entries_stay_in_their_order() -> None:
    assert decode([(f"types[{number}]", str(number)) for number in range(12)])["types"][9:] == ["9", "10", "11"]


def test_a_name_that_does_not_close_is_kept_to_be_refused() -> None:
    params = Params(decode([("items[0", "x")]))
    with pytest.raises(StripeRefusal, match="unknown parameter"):
        params.refuse_unknown()


def test_an_unread_name_deep_inside_is_refused_by_its_whole_name() -> None:
    params = Params({"items": [{"price": "p", "prise": "q"}]})
    params.children("items")[0].text("price")
    with pytest.raises(StripeRefusal) as caught:
        params.refuse_unknown()
    assert caught.value.error["param"] == "items[0][prise]"


@pytest.mark.parametrize(("read", "value"), [("integer", "many"), ("flag", "perhaps")])
def test_a_value_of_the_wrong_type_names_its_parameter(read: str, value: str) -> None:
    with pytest.raises(StripeRefusal) as caught:
        getattr(Params({"limit": value}), read)("limit")
    assert (caught.value.status, caught.value.error["param"]) == (400, "limit")


def test_metadata_is_merged_key_by_key_and_emptied_by_nothing() -> None:
    assert merged_metadata({"a": "1", "b": "2"}, {"b": "", "c": "3"}) == {"a": "1", "c": "3"}
    assert merged_metadata({"a": "1"}, {}) == {}
    assert merged_metadata({"a": "1"}, None) == {"a": "1"}


def test_previous_attributes_hold_parts_of_objects_and_whole_lists() -> None:
    before = {"status": "active", "settings": {"card": "a", "other": 1}, "lines": [1, 2], "same": 0}
    after = {"status": "past_due", "settings": {"card": "b", "other": 1}, "lines": [1], "same": 0}
    assert difference(before, after) == {"status": "active", "settings": {"card": "a"}, "lines": [1, 2]}


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, 8, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "expected"),
    [
        (at(2027, 1, 31), "month", 1, at(2027, 2, 28)),
        (at(2027, 1, 31), "month", 2, at(2027, 3, 31)),
        (at(2028, 2, 29), "year", 1, at(2029, 2, 28)),
        (at(2027, 3, 15), "month", -3, at(2026, 12, 15)),
        (at(2027, 1, 1), "week", 2, at(2027, 1, 15)),
        (at(2027, 1, 1), "day", 3, at(2027, 1, 4)),
    ],
)
def test_intervals_follow_the_calendar(anchor: int, interval: str, count: int, expected: int) -> None:
    assert later(anchor, interval, count) == expected


def test_the_next_boundary_is_counted_from_the_anchor() -> None:
    assert next_boundary(at(2026, 8, 31), "month", 1, at(2027, 2, 28)) == at(2027, 3, 31)
    assert next_boundary(at(2027, 5, 1), "month", 1, at(2027, 5, 1)) == at(2027, 6, 1)
    assert next_boundary(at(2020, 2, 29), "year", 1, at(2023, 3, 1)) == at(2024, 2, 29)
