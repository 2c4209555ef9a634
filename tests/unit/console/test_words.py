"""Every stored word has a label for people, so that no page ever shows a raw one or fails on a new one."""

from enum import StrEnum

import pytest

from app import vocabulary
from app.console import words
from app.retries.declines import DeclineClass
from app.vocabulary import CaseState, RecoveredBy, StepKind

NOT_SHOWN = {vocabulary.Fact, vocabulary.EventKind}
SHOWN = [
    member
    for vocabulary_class in vars(vocabulary).values()
    if isinstance(vocabulary_class, type) and issubclass(vocabulary_class, StrEnum)
    and vocabulary_class is not StrEnum and vocabulary_class not in NOT_SHOWN
    for member in vocabulary_class
]  # fmt: skip


@pytest.mark.parametrize("word", SHOWN, ids=lambda word: f"{type(word).__name__}.{word.name}")
def test_every_word_of_the_vocabulary_has_a_label(word: StrEnum) -> None:
    assert words.label(word)


def test_words_of_different_classes_that_are_stored_alike_keep_their_own_labels() -> None:
    assert words.label(RecoveredBy.RETRY) == "Our retry"
    assert words.label(StepKind.RETRY) == "Try the card"


@pytest.mark.parametrize("state", CaseState)
def test_every_case_state_is_explained_in_a_sentence(state: CaseState) -> None:
    assert words.meaning(state).endswith(".")


@pytest.mark.parametrize("decline_class", DeclineClass)
def test_every_decline_class_of_the_planner_is_explained(decline_class: DeclineClass) -> None:
    assert decline_class in words.DECLINE_CLASSES


def test_a_word_that_is_only_text_is_shown_readably() -> None:
    assert words.label("case.retry_now") == "Case · retry now"
    assert words.decline("brand_new_class") == ("Brand new class", "")
