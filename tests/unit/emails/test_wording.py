"""Operators' own texts: said where they can be, refused with reasons where they cannot, and never a broken mail."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import emails
from emails import BrokenWording, MailFacts, Merchant, wording
from emails.catalogue import languages

EVERY_LANGUAGE = pytest.mark.parametrize("language", languages())


def test_an_own_text_is_said_in_place_of_ours_in_both_parts(full: MailFacts) -> None:
    own = {"reminder.heading": "A little nudge for {product}", "button.no_funds": "Fix it"}
    mail = emails.render("reminder", full, wording=own)
    assert "A little nudge for Fernweh Pro" in mail.html
    assert "Fix it" in mail.html
    assert "Fix it:" in mail.text
    assert mail.left_out == ()


def test_a_variant_has_texts_of_its_own_and_the_common_ones_beneath(full: MailFacts) -> None:
    own = {"reminder.subject": "Common", "reminder@b.subject": "Only in b", "reminder.heading": "Common heading"}
    assert emails.render("reminder", full, wording=own).subject == "Common"
    assert emails.render("reminder", full, wording=own, variant="c").subject == "Common"
    in_b = emails.render("reminder", full, wording=own, variant="b")
    assert in_b.subject == "Only in b"
    assert "Common heading" in in_b.html


def test_a_variant_without_texts_is_the_mail_as_it_is(full: MailFacts) -> None:
    assert emails.render("reminder", full, variant="b") == emails.render("reminder", full)


def test_the_key_of_a_variant_is_made_in_one_place() -> None:
    assert wording.variant_key("reminder.what.no_funds", "day3-b") == "reminder@day3-b.what.no_funds"
    assert wording.variant_key("greeting", "b") == "greeting@b"
    assert wording.problems("en", "greeting@b", "Good day {name},") == ()


@pytest.mark.parametrize("text", ["Hello {nobody}", "<b>Pay</b>", "{", "", "two\nlines", "**half", "see www.x.example"])
def test_a_broken_text_is_left_out_and_ours_is_said(text: str, full: MailFacts) -> None:
    mail = emails.render("reminder", full, wording={"reminder.heading": text})
    assert replace(mail, left_out=()) == emails.render("reminder", full)
    assert mail.left_out == ("reminder.heading",)


def test_a_text_that_names_a_missing_fact_makes_room_for_ours(full: MailFacts, bare: MailFacts) -> None:
    own = {"payment_failed.subject.unknown": "Again on {retry_date}"}
    unknown = replace(full, decline_reason=emails.DeclineReason.UNKNOWN)
    assert emails.render("payment_failed", unknown, wording=own).subject == "Again on Friday, March 27"
    without = emails.render("payment_failed", bare, wording=own)
    assert without.subject == emails.render("payment_failed", bare).subject
    assert without.left_out == ()


def test_plural_forms_are_texts_of_their_own(full: MailFacts) -> None:
    many = replace(full, locale="pl", amounts=full.amounts * 3)
    own = {"several.few": "Czekają {count} faktury.", "several.many": "Czeka {count} faktur."}
    assert "Czekają 3 faktury." in emails.render("reminder", many, wording=own).text
    five = replace(many, amounts=full.amounts * 5)
    assert "Czeka 5 faktur." in emails.render("reminder", five, wording=own).text
    assert "no text called several.two" in wording.problems("pl", "several.two", "x")[0]


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("reminder.subject", "{nmae}", r"Nothing here is called \{nmae\}; this text may use .*\{amount\}"),
        ("recovered.what", "Thanks for {product}.", r"must say \{amount\}: the reader has to know it"),
        ("final_notice.what.pause", "It pauses soon.", r"must say \{final_date\}"),
        ("closing.help", "Write to us.", r"must say \{support\}"),
        ("several.other", "Some invoices are open.", r"must say \{count\}"),
        ("reminder.what.unknown", "Pay <a href='x'>here</a>", "HTML would be shown as it stands"),
        ("reminder.what.unknown", "Pay &amp; go", "HTML would be shown as it stands"),
        ("reminder.what.unknown", "Pay at https://x.example", "would compete with the button"),
        ("reminder.what.unknown", "**{amount}**: {product}!", "A placeholder alone says nothing"),
        ("reminder.what.unknown", "Pay {amount", "brace at position 5 belongs to no placeholder"),
        ("reminder.what.unknown", "{{ amount }}", "belongs to no placeholder"),
        ("reminder.what.unknown", "**Pay", r"pair of \*\* is not closed"),
        ("reminder.what.unknown", " ", "The text is empty"),
        ("reminder.what.unknown", "a\nb", "must be one line"),
        ("reminder.what.unknown", "a\u202eb", "must be one line"),
        ("reminder.subject", "x" * 121, "has 121 characters; 120 are the most"),
        ("button.no_funds", "x" * 49, "48 are the most"),
        ("pair", "{label}", "There is no text called pair"),
        ("named_invoice", "{number}", "There is no text called named_invoice"),
        ("Reminder.subject", "x", "There is no text called Reminder.subject"),
        ("reminder@.subject", "x", "There is no text called reminder@.subject"),
    ],
)
def test_what_is_wrong_is_said_so_that_it_can_be_put_right(key: str, text: str, says: str) -> None:
    with pytest.raises(BrokenWording, match=says):
        wording.check("en", key, text)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert len(wording.problems("en", "closing.help", "<b>{x}</b>\n")) == 4


@pytest.mark.parametrize("text", ["Is 3 < 4? Yes & no", "It’s {product}’s **day**", "50 % off", "مرحبًا\u200f {name}"])
def test_ordinary_writing_is_no_problem(text: str) -> None:
    assert wording.problems("en", "reminder.what.unknown", text) == ()


@EVERY_LANGUAGE
def test_our_own_texts_would_pass_as_an_operators(language: str) -> None:
    for key in wording.editable(language):
        assert wording.problems(language, key, wording.ours(language, key)[0]) == (), key


@EVERY_LANGUAGE
def test_what_must_stay_may_stay(language: str) -> None:
    for key in wording.editable(language):
        assert wording.required(language, key) <= wording.allowed(language, key), key


def test_the_same_texts_can_be_changed_in_every_language_but_for_plural_forms() -> None:
    def without_forms(language: str) -> set[str]:
        return {re.sub(r"\.(zero|one|two|few|many|other)$", "", key) for key in wording.editable(language)}

    assert {frozenset(without_forms(language)) for language in languages()} == {frozenset(without_forms("en"))}


def test_a_key_that_does_not_exist_has_no_placeholders_and_no_text_of_ours() -> None:
    assert wording.allowed("en", "nothing") == wording.required("en", "nothing") == frozenset()
    with pytest.raises(BrokenWording, match="no text called nothing"):
        wording.ours("en", "nothing")


BARE = MailFacts(Merchant("Kumo"), "https://pay.example/x")
KEYS = ["greeting", "reminder.subject", "reminder.what.unknown", "button.unknown", "footer.subscription"]


def tags(html: str) -> list[str]:
    return re.findall(r"</?[a-z0-9]+", re.sub(r"</?strong>", "", html))


@given(
    text=st.text(max_size=80) | st.from_regex(r"[<{&*a-z }\[\]()/:.\n]{1,40}", fullmatch=True),
    key=st.sampled_from(KEYS),
)
def test_whatever_an_operator_types_the_mail_comes_out_whole(text: str, key: str) -> None:
    mail = emails.render("reminder", BARE, wording={key: text})
    assert tags(mail.html) == tags(emails.render("reminder", BARE).html)
    assert len(mail.subject.splitlines()) == 1
    assert BARE.pay_url in mail.text.splitlines()
