"""The translations agree with each other, and nothing in them is out of use or out of tone."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from babel import Locale

import emails
from emails import DeclineReason, MailFacts, placeholders
from emails.catalogue import Leaf, Plural, languages, load, nearest
from emails.letter import Voice

ALWAYS_KNOWN = {"merchant", "product"}
# Said only where the fact is there; left out otherwise.
OPTIONAL = {"access", "closing.help", "final_notice.retry"}
# Filled from what the text stands beside, and not from the facts.
BESIDE = {"pair", "named_invoice"}
# A name in a Polish greeting would have to be in the vocative, which cannot be made from a name with certainty.
UNNAMED = {("pl", "greeting")}
# What nobody is told about their card or themselves, in the words of each language.
UNSAID = {
    "ar": r"مفقود|مسروق|احتيال|سرق",
    "de": r"verloren|gestohlen|betrug|verdächtig|missbrauch",
    "en": r"\blost\b|stolen|fraud|thief|suspicio",
    "es": r"perdid|robad|fraude|sospech",
    "fr": r"perdue|volée|fraude|suspect",
    "it": r"smarrit|rubat|frode|sospett",
    "ja": r"紛失|盗|不正|詐欺",
    "nl": r"verloren|gestolen|fraude|verdacht",
    "pl": r"zgubion|skradzion|oszust|podejrz",
    "pt-BR": r"perdid|roubad|fraude|suspeit",
    "sv": r"förlorat|stulen|stulet|bedrägeri|misstänk",
    "zh-Hans": r"丢失|挂失|盗|欺诈|可疑",
}
EVERY_LANGUAGE = pytest.mark.parametrize("language", languages())


def texts(leaf: Leaf) -> tuple[str, ...]:
    return tuple(leaf.forms.values()) if isinstance(leaf, Plural) else leaf


def test_the_twelve_languages_are_there() -> None:
    assert set(languages()) == set(UNSAID)


@EVERY_LANGUAGE
def test_every_language_has_the_same_keys(language: str) -> None:
    assert load(language).leaves.keys() == load("en").leaves.keys()


@EVERY_LANGUAGE
def test_every_text_asks_for_the_same_facts_as_the_english_one(language: str) -> None:
    for key, reference in load("en").leaves.items():
        leaf = load(language).leaves[key]
        if isinstance(reference, Plural):
            # `one invoice` needs no figure in every language
            assert {name for text in texts(leaf) for name in placeholders.names_in(text)} == {"count"}, key
            assert isinstance(leaf, Plural)
            assert placeholders.names_in(leaf.forms["other"]) == {"count"}, key
        elif (language, key) not in UNNAMED:
            assert [placeholders.names_in(text) for text in texts(leaf)] == [
                placeholders.names_in(text) for text in texts(reference)
            ], key


@EVERY_LANGUAGE
def test_plural_forms_are_exactly_those_of_the_language(language: str) -> None:
    expected = {*Locale.parse(language, sep="-").plural_form.tags, "other"}
    plurals = {key: leaf for key, leaf in load(language).leaves.items() if isinstance(leaf, Plural)}
    assert plurals
    assert {key: set(leaf.forms) for key, leaf in plurals.items()} == dict.fromkeys(plurals, expected)


@EVERY_LANGUAGE
def test_a_text_that_must_be_said_needs_no_optional_fact(language: str) -> None:
    for key, leaf in load(language).leaves.items():
        if isinstance(leaf, tuple) and key not in OPTIONAL | BESIDE:
            assert placeholders.names_in(leaf[-1]) <= ALWAYS_KNOWN, key


@EVERY_LANGUAGE
def test_every_placeholder_is_one_that_the_facts_can_fill(language: str, full: MailFacts) -> None:
    known = Voice(full).values.keys() | {"count", "label", "value", "number"}
    for leaf in load(language).leaves.values():
        for text in texts(leaf):
            placeholders.check(text, known)


def test_every_text_is_said_in_some_mail(variants: list[MailFacts], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    language = "en"  # which text is asked for is no matter of language, and all have the same

    class Watched(Mapping[str, Leaf]):
        def __getitem__(self, key: str) -> Leaf:
            asked.add(key)
            return load(language).leaves[key]

        def __iter__(self) -> Iterator[str]:
            return iter(load(language).leaves)

        def __len__(self) -> int:
            return len(load(language).leaves)

    watched = replace(load(language), leaves=Watched())
    monkeypatch.setattr("emails.letter.nearest", lambda locale: (watched, nearest(locale)[1]))
    for kind in emails.kinds:
        for facts in variants:
            emails.render(kind, replace(facts, locale=language))
    unsaid = {key for key in load(language).leaves if key not in asked}
    assert unsaid == set()


@EVERY_LANGUAGE
def test_nobody_is_told_of_loss_theft_or_fraud(language: str) -> None:
    forbidden = re.compile(UNSAID[language], re.IGNORECASE)
    for key, leaf in load(language).leaves.items():
        assert not [text for text in texts(leaf) if forbidden.search(text)], key


@EVERY_LANGUAGE
def test_texts_are_typeset_with_care(language: str) -> None:
    for key, leaf in load(language).leaves.items():
        for text in texts(leaf):
            assert text == text.strip(), key
            assert "'" not in text, f"{key}: use the apostrophe of print"
            assert text.count("**") % 2 == 0, key
            if language == "fr":
                assert not re.search(r"[^\s\u00a0\u202f][?!;]| [?!;:]", text), f"{key}: hard blanks before ? ! ; :"


@pytest.mark.parametrize("reason", DeclineReason)
def test_only_english_is_spoken_in_english(reason: DeclineReason, full: MailFacts) -> None:
    """A catalogue copied and half translated would still hold English sentences."""
    english = emails.render("reminder", replace(full, decline_reason=reason, locale="en")).text.splitlines()
    for language in set(languages()) - {"en"}:
        other = emails.render("reminder", replace(full, decline_reason=reason, locale=language)).text.splitlines()
        shared = {line for line in english if line in other} - {"", "--", full.pay_url}
        assert {line for line in shared if line not in vars(full.merchant).values()} <= {"  Total: €49.00"}
