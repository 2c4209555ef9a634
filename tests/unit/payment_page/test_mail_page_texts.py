"""The pages behind notices say the same things in every language that the mails speak."""

import pytest

from app.payment_page.mail_pages.door import load
from emails.locales import languages
from emails.placeholders import names_in


@pytest.mark.parametrize("language", languages())
def test_every_language_has_every_text_with_the_same_placeholders(language: str) -> None:
    reference, theirs = load("en"), load(language)
    assert theirs.leaves.keys() == reference.leaves.keys()
    for key, leaf in reference.leaves.items():
        translated = theirs.leaves[key]
        assert isinstance(leaf, tuple)
        assert isinstance(translated, tuple)
        assert [names_in(text) for text in translated] == [names_in(text) for text in leaf], key
