"""Files of texts: what is written can be read again, and what cannot be meant is refused with its place."""

import pytest

from app.messages.wording import find_problems, home_of, keys_of, kinds_saying, said_otherwise
from app.messages.wording_files import TextFileInvalid, read, write
from emails.samples import texts_of
from emails.wording import editable, ours


def test_what_was_written_is_read_again_whatever_is_in_it() -> None:
    texts = {"en": {"reminder.heading": 'A: "nudge" for {product} # no comment', "greeting": "Hi {name},"}, "ar": {
        "greeting": "مرحبًا {name}،"}}  # fmt: skip
    assert read(write(texts)) == texts


def test_a_complete_file_has_every_text_and_none_of_them_is_wrong() -> None:
    content = read(write({"pl": {"greeting": "Cześć,"}}, ("pl",)))["pl"]
    assert set(content) == set(editable("pl"))
    assert content["greeting"] == "Cześć,"
    assert content["reminder.heading"] == ours("pl", "reminder.heading")[0]
    assert {key: find_problems("pl", key, text or "") for key, text in content.items() if key != "greeting"} == {
        key: () for key in content if key != "greeting"
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("just words", "expected languages"),
        ("en: [a, b]", "expected languages"),
        ("en:\n  reminder.heading: 5", "reminder.heading is no text"),
        ("en:\n  greeting: a\n  greeting: b", "greeting is there twice"),
        ("en: {", "no YAML"),
        ("en: !!python/object/apply:os.system [ls]", "no YAML"),
    ],
)
def test_a_file_that_is_none_is_refused(content: str, said: str) -> None:
    with pytest.raises(TextFileInvalid, match=said):
        read(content)


def test_a_text_of_a_variant_falls_back_to_the_common_one_and_then_to_ours() -> None:
    common = {"reminder.heading": "Ours no more"}
    assert said_otherwise("en", "reminder@b.heading", common) == "Ours no more"
    assert said_otherwise("en", "reminder@b.heading", {}) == ours("en", "reminder.heading")[0]
    assert (
        said_otherwise("en", "reminder@b.heading", {"reminder.heading": "{nobody}"})
        == ours("en", "reminder.heading")[0]
    )
    assert said_otherwise("en", "no.such", {}) is None


def test_plural_texts_have_a_field_for_each_form_of_the_language() -> None:
    assert keys_of("pl", ("several",)) == ("several.one", "several.few", "several.many", "several.other")
    assert keys_of("en", ("reminder.subject",), "b") == ("reminder@b.subject",)


def test_every_editable_text_is_said_by_some_mail() -> None:
    silent = [key for key in editable("en") if not kinds_saying(key)]
    assert silent == []


def test_a_text_is_at_home_in_its_kind_or_in_all() -> None:
    assert home_of("reminder@b.subject") == "reminder"
    assert home_of("button@b.no_funds") is None
    assert kinds_saying("several.few") == kinds_saying("several")
    assert all(home_of(key) in (None, "payment_failed", "action_required") for key in texts_of("payment_failed"))
