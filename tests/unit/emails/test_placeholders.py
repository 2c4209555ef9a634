import pytest

from emails.placeholders import BrokenPlaceholder, UnknownPlaceholder, check, fill, names_in


def test_names_are_filled_in_and_values_are_not_read_again() -> None:
    assert fill("{a} owes {b}", {"a": "{b}", "b": "{a}"}) == "{b} owes {a}"


def test_an_unknown_name_is_refused_by_name_with_those_that_may_be_used() -> None:
    with pytest.raises(UnknownPlaceholder, match=r"unknown placeholder \{nmae\}, \{x\}; .* \{amount\}, \{name\}"):
        check("Hi {nmae} {x}", {"name", "amount"})


def test_a_text_without_any_allowed_name_says_so() -> None:
    with pytest.raises(UnknownPlaceholder, match="may use none"):
        check("{x}", ())


@pytest.mark.parametrize(
    "template",
    [
        "{",
        "}",
        "{}",
        "{{name}}",
        "{name",
        "{name.attribute}",
        "{name!r}",
        "{name:>9}",
        "{0}",
        "{Name}",
        "{% if x %}",
        "{na me}",
    ],
)
def test_anything_but_a_plain_name_in_braces_is_refused(template: str) -> None:
    with pytest.raises(BrokenPlaceholder, match=r"position \d+ belongs to no placeholder"):
        names_in(template)


def test_the_position_of_a_stray_brace_is_told() -> None:
    with pytest.raises(BrokenPlaceholder, match="position 10 "):
        check("{name} 12}", {"name"})
