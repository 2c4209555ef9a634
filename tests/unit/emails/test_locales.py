"""Which language a customer is written to in, whatever their list of languages looks like."""

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

import emails
from emails import locales
from emails.locales import choose, language_of, languages, writing


@pytest.mark.parametrize(
    ("preferred", "chosen"),
    [
        (["fr-CA", "en"], "fr-CA"),
        (["ko", "fr"], "fr"),
        (["ko", "nb-NO"], "de"),
        ([], "de"),
        (["zh-TW", "en"], "en"),
        (["zh-TW", "ko"], "zh-TW"),
        (["zh-TW"], "zh-TW"),
        (["zh-HK", "zh-CN"], "zh-CN"),
        (["pt-PT", "en"], "pt-PT"),
        (["", "it"], "it"),
        (["not a locale", "sv_SE"], "sv_SE"),
    ],
)
def test_the_first_language_that_we_speak_is_chosen(preferred: list[str], chosen: str) -> None:
    assert choose(preferred, "de") == chosen


def test_what_came_from_outside_may_be_anything() -> None:
    odd: list[str] = [None, 7, "ja"]  # type: ignore[list-item]  Stripe's list is JSON that somebody else wrote
    assert choose(odd, "de") == "ja"


def test_the_library_offers_the_choice() -> None:
    assert emails.choose_locale is locales.choose
    assert (emails.language_for("pt-PT"), emails.language_for("ko")) == ("pt-BR", "en")


@given(st.text(max_size=12))
def test_any_text_at_all_is_a_language_of_ours_or_none(locale: str) -> None:
    assert language_of(locale) is None or language_of(locale) in languages()


@given(st.sampled_from(languages()), st.text("abcdefghijklmnopqrstuvwxyz-_019TWHK", max_size=9))
def test_dates_are_always_written_in_the_language_of_the_text(language: str, tail: str) -> None:
    found = writing(f"{language}-{tail}", language)
    assert found.language == Locale.parse(language, sep="-").language
