"""The samples show everything: each kind, each text, in each language."""

import pytest

import emails
from emails import wording
from emails.catalogue import languages, load
from emails.samples import samples, texts_of


def test_there_is_a_sample_of_every_kind_and_no_state_twice() -> None:
    named = [(sample.kind, sample.state) for sample in samples()]
    assert {kind for kind, _ in named} == set(emails.kinds)
    assert len(named) == len(set(named))


def test_between_them_the_samples_say_every_text_there_is() -> None:
    said = {key for kind in emails.kinds for key in texts_of(kind)}
    assert said == set(load("en").leaves) - {"pair", "named_invoice"}


def test_the_texts_of_a_mail_come_in_the_order_in_which_they_are_read() -> None:
    texts = texts_of("recovered")
    assert texts[:5] == ("recovered.subject", "recovered.preheader", "recovered.heading", "greeting", "recovered.what")


@pytest.mark.parametrize("kind", emails.kinds)
def test_what_a_mail_says_can_be_changed_by_its_key(kind: str) -> None:
    keys = set(wording.editable("en"))
    for text in texts_of(kind):
        assert text in keys or {f"{text}.one", f"{text}.other"} <= keys


@pytest.mark.parametrize("language", languages())
def test_no_subject_of_a_sample_is_longer_than_a_mail_program_shows(language: str) -> None:
    for sample in samples(language):
        mail = emails.render(sample.kind, sample.facts)
        assert len(mail.subject) <= 70, mail.subject
        assert len(mail.preheader) <= 110, mail.preheader


def test_a_sample_speaks_of_invented_people_only() -> None:
    for sample in samples():
        assert sample.facts.pay_url.startswith("https://recoup.example/")
        assert sample.facts.merchant.support_email == "help@fernweh.example"
