"""The page's texts: every language has all of them, and each can be said whatever is not known."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.campaigns.contact import RetentionOffer
from app.money import Money
from app.outcomes.actions import SUBSCRIPTION_KINDS
from app.payment_page.bills import NOT_SHOWN, NOT_TRIED, OTHER_AMOUNT, CardUse, Stage
from app.payment_page.pages import NOTES
from app.payment_page.results import Result
from app.payment_page.voice import FOLDER, PageVoice, load, voice_for_stranger
from app.retries.meanings import CustomerReason
from app.vocabulary import FinalActionKind
from emails import MailFacts, Merchant, Owed, placeholders
from emails.catalogue import BrokenCatalogue, languages

REFERENCE = load("en").leaves
OPTIONAL = {"hello", "foot.help", "outcome.renews"}
BARE = MailFacts(merchant=Merchant(name="Acme"), pay_url="https://pay.example.com")


@pytest.mark.parametrize("language", languages())
def test_every_language_of_the_mails_has_every_text_of_the_page(language: str) -> None:
    assert load(language).leaves.keys() == REFERENCE.keys()


@pytest.mark.parametrize("language", languages())
def test_a_translation_uses_the_facts_of_the_reference_and_no_others(language: str) -> None:
    for key, leaf in load(language).leaves.items():
        if key != "hello":  # not every language can call somebody by a first name alone
            assert _names(leaf) == _names(REFERENCE[key]), key


@pytest.mark.parametrize("language", languages())
def test_every_text_but_the_optional_ones_needs_nothing_but_the_merchant_and_an_amount(language: str) -> None:
    always = {"merchant", "product", "amount"}
    for key, leaf in load(language).leaves.items():
        if key not in OPTIONAL and not key.startswith("instead.per."):
            assert placeholders.names_in(str(leaf[-1])) <= always, key  # type: ignore[index]


@pytest.mark.parametrize("language", languages())
def test_no_text_says_what_the_networks_forbid(language: str) -> None:
    forbidden = re.compile(r"\b(lost|stolen|fraud\w*|verloren|gestohlen\w*|betrug\w*|perdue?|volée?|robad\w+)\b", re.I)
    said = [text for key, leaf in load(language).leaves.items() if "notice.invalid" not in key for text in leaf]  # type: ignore[union-attr]
    assert [text for text in said if forbidden.search(text)] == []


def test_each_reason_stage_and_final_action_has_its_words() -> None:
    for reason in (*CustomerReason, NOT_SHOWN, OTHER_AMOUNT, NOT_TRIED):
        assert {f"pay.heading.{reason}", f"pay.why.{reason}", f"outcome.why.{reason}"} <= REFERENCE.keys()
    for stage in Stage:
        assert f"status.{stage}" in REFERENCE
    for result in Result:
        assert f"outcome.heading.{result}" in REFERENCE
    for use in CardUse:
        assert f"button.card_note.{use}" in REFERENCE
    for kind in RetentionOffer.model_fields["kind"].annotation.__args__:  # type: ignore[union-attr]
        assert f"instead.open.{kind}" in REFERENCE
    for chosen in SUBSCRIPTION_KINDS:
        assert {f"instead.{part}.{chosen}" for part in ("heading", "what", "do", "done")} <= REFERENCE.keys()
    assert {note for note in NOTES.values() if note not in REFERENCE} == set()
    for action in FinalActionKind:
        assert {f"next.{action}", f"pay.ended.{action}"} <= REFERENCE.keys()


def test_a_language_that_the_page_lacks_is_named() -> None:
    with pytest.raises(BrokenCatalogue, match=r"tlh\.yaml"):
        load("tlh")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("tlh, fr;q=0.5", "fr"),
        ("xx", "en"),
        (";;,,*", "en"),
    ],
)
def test_a_stranger_is_spoken_to_in_the_browsers_language(accepted: str | None, language: str) -> None:
    assert voice_for_stranger(accepted, "https://pay.example.com").language == language


def test_amounts_days_and_names_keep_their_own_direction_where_the_page_runs_from_right_to_left() -> None:
    moment, money = datetime(2026, 12, 1, 12, tzinfo=UTC), Money(4900, "usd")
    for language in languages():
        facts = replace(BARE, locale=language, amounts=(Owed(money, "A-1", "Team"), Owed(money, None, None)))
        voice = PageVoice(facts, address=PageVoice(facts).named("a@b.example", is_ltr=True))
        said = [voice.money(money), voice.day(moment), voice.date(moment), voice.named("Team"), voice.total()]
        isolated = ["\u2068" in phrase.text and "\u2069" in phrase.text for phrase in said if phrase]
        assert isolated == [language == "ar"] * len(said)
        assert ('<span dir="ltr">a@b.example</span>' in voice.say("contact.confirm").html) == (language == "ar")
    assert PageVoice(replace(BARE, locale="ar")).direction == "rtl"


def test_the_next_renewal_is_said_only_when_it_is_known() -> None:
    assert PageVoice(BARE).find("outcome.renews") is None
    renewal = PageVoice(BARE).date(datetime(2026, 12, 1, 12, tzinfo=UTC))
    said = PageVoice(BARE, renewal=renewal).find("outcome.renews")
    assert said is not None
    assert said.text == "Your next payment is due on December 1, 2026."


def test_there_is_no_file_without_mails_in_its_language() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.yaml")) == sorted(languages())


def _names(leaf: object) -> set[str]:
    return {name for text in leaf for name in placeholders.names_in(text)}  # type: ignore[attr-defined]
