"""Arabic mails: foreign words keep their own direction, in both parts and in the subject."""

from dataclasses import replace

import pytest

import emails
from emails import Card, MailFacts
from emails.samples import samples


@pytest.fixture(scope="module")
def arabic(full: MailFacts) -> MailFacts:
    return replace(full, locale="ar", card=Card("unknown", "4242"))


def test_a_foreign_name_is_isolated_in_the_sentence_and_in_the_subject(arabic: MailFacts) -> None:
    mail = emails.render("payment_failed", arabic)
    assert "\u2068Fernweh Pro\u2069" in mail.subject
    assert "\u2068Fernweh Pro\u2069" in mail.text
    assert '<span dir="auto">Fernweh Pro</span>' in mail.html


def test_what_has_no_letter_is_told_its_direction(arabic: MailFacts) -> None:
    mail = emails.render("reminder", arabic)
    assert '<span dir="ltr">••••\u00a04242</span>' in mail.html
    assert "\u2066••••\u00a04242\u2069" in mail.text


def test_the_isolating_marks_come_in_pairs(arabic: MailFacts) -> None:
    for sample in samples("ar"):
        mail = emails.render(sample.kind, sample.facts)
        for part in (mail.subject, mail.preheader, mail.text, mail.html):
            assert part.count("\u2068") + part.count("\u2066") == part.count("\u2069")


def test_languages_from_left_to_right_carry_no_such_marks(full: MailFacts) -> None:
    for locale in ("en", "pl", "ja"):
        mail = emails.render("reminder", replace(full, locale=locale))
        assert not {"\u2066", "\u2068", "\u2069"} & set(mail.subject + mail.text + mail.html)


def test_the_merchants_name_stands_alone_where_it_is_no_part_of_a_sentence(arabic: MailFacts) -> None:
    assert "\nFernweh Studio\n" in emails.render("recovered", arabic).text
