"""What holds for each mail, in each language, whatever is not known."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest
from markupsafe import escape

import emails
from emails import FinalAction, MailFacts, RenderedMail, UnknownMail
from emails.catalogue import languages
from emails.samples import samples

VOID = {"meta", "img", "br", "hr", "link", "input"}
# Keeps the preview empty behind the preheader; not a word of it is seen.
PAD = "\u034f\u200c\u00a0"
INLINE = {"a", "strong", "span"}
EVERY_MAIL = pytest.mark.parametrize(
    ("kind", "locale"), [(kind, language) for kind in emails.kinds for language in languages()]
)


class Page(HTMLParser):
    """The few things of a mail's HTML that the tests ask about."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.part(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"
        self.part(tag)

    def part(self, tag: str) -> None:
        if tag not in INLINE:
            self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).replace(PAD, "").split())


Gallery = Callable[[str, str], list[tuple[MailFacts, RenderedMail, Page]]]


@pytest.fixture(scope="module")
def gallery(variants: list[MailFacts]) -> Gallery:
    """Every variant of a mail in a language, rendered and parsed once for all tests."""

    @cache
    def hang(kind: str, locale: str) -> list[tuple[MailFacts, RenderedMail, Page]]:
        # Which facts are missing is no matter of language, the direction of writing is: two languages say everything.
        known = variants if locale in ("en", "ar") else variants[:4]
        own = [sample.facts for sample in samples(locale) if sample.kind == kind]
        in_language = [replace(facts, locale=locale) for facts in known] + own
        mails = [(facts, emails.render(kind, facts)) for facts in in_language]
        return [(facts, mail, Page(mail.html)) for facts, mail in mails]

    return hang


@EVERY_MAIL
def test_no_missing_fact_leaves_a_hole(kind: str, locale: str, gallery: Gallery) -> None:
    for _, mail, page in gallery(kind, locale):
        for part in (mail.subject, mail.preheader, mail.text, page.text):
            assert part.strip()
            assert not re.search(r"[{}*]|\bNone\b|\(\)|（）|  [.,]| [.,。、，،](\s|$)", part), part
        assert '<p style="margin:0 0 14px;"></p>' not in mail.html
        assert len(page.attributes("h1")) == 1


@EVERY_MAIL
def test_the_html_is_sound_small_and_accessible(kind: str, locale: str, gallery: Gallery) -> None:
    for facts, mail, page in gallery(kind, locale):
        assert not page.open, "every tag is closed"
        assert len(mail.html.encode()) < 30_000
        root = page.attributes("html")[0]
        assert (root["lang"], root["dir"]) == (locale, "rtl" if locale == "ar" else "ltr")
        assert f"<title>{mail.subject}</title>" in mail.html
        assert {table.get("role") for table in page.attributes("table")} == {"presentation"}
        assert [image["alt"] for image in page.attributes("img")] == ["Fernweh Studio"] * bool(facts.merchant.logo_url)
        assert any(meta.get("name") == "color-scheme" for meta in page.attributes("meta"))
        assert "prefers-color-scheme: dark" in mail.html


@EVERY_MAIL
def test_every_link_is_the_customers_page_or_the_merchants_own(kind: str, locale: str, gallery: Gallery) -> None:
    for facts, mail, page in gallery(kind, locale):
        merchant = facts.merchant
        mailto = f"mailto:{merchant.support_email}"
        pages = {merchant.website, merchant.support_url}
        allowed = {facts.pay_url, facts.receipt_url, *pages, facts.unsubscribe_url, mailto}
        links = [anchor["href"] for anchor in page.attributes("a")]
        assert set(links) <= allowed
        assert len([link for link in links if link in (facts.pay_url, facts.receipt_url)]) <= 1, "one button"
        assert {image["src"] for image in page.attributes("img")} <= {merchant.logo_url}
        assert not page.attributes("link")
        assert not page.attributes("script")
        assert not re.search(r"https?://(?!schemas|www\.w3\.org)", re.sub(r'(href|src)="[^"]*"', "", mail.html))


@EVERY_MAIL
def test_the_text_part_carries_the_same_button_on_a_line_of_its_own(kind: str, locale: str, gallery: Gallery) -> None:
    for facts, mail, page in gallery(kind, locale):
        buttons = [link["href"] for link in page.attributes("a") if link["href"] in (facts.pay_url, facts.receipt_url)]
        assert [line for line in mail.text.splitlines() if line in (facts.pay_url, facts.receipt_url)] == buttons
        assert not re.search(r"<[a-z/]|&[a-z#]+;", mail.text)


@EVERY_MAIL
def test_both_parts_say_the_same_words(kind: str, locale: str, gallery: Gallery) -> None:
    for _, mail, page in gallery(kind, locale):
        shown = set(re.findall(r"\w+", page.text))
        written = set(re.findall(r"\w+", re.sub(r"https?://\S+", "", mail.text)))
        assert written <= shown


@EVERY_MAIL
def test_the_subject_is_one_short_line(kind: str, locale: str, gallery: Gallery) -> None:
    for _, mail, _ in gallery(kind, locale):
        assert mail.subject == " ".join(mail.subject.split(" "))
        assert len(mail.subject.splitlines()) == 1
        assert len(mail.subject) <= 78


@EVERY_MAIL
def test_the_preheader_is_in_the_html_but_not_seen(kind: str, locale: str, full: MailFacts) -> None:
    mail = emails.render(kind, replace(full, locale=locale))
    hidden = re.search(r'<div style="display:none;[^>]*>([^<]*)</div>', mail.html)
    assert hidden
    assert hidden[1].startswith(str(escape(mail.preheader)))


@pytest.mark.parametrize("kind", ["recovered", "subscription_changed"])
def test_nothing_asks_for_money_when_nothing_is_owed(kind: str, full: MailFacts, bare: MailFacts) -> None:
    for facts in (full, bare):
        settled = replace(facts, is_restored=True)
        mail = emails.render(kind, settled)
        assert facts.pay_url not in mail.text
        assert facts.pay_url.replace("&", "&amp;") not in mail.html


@pytest.mark.parametrize("action", [*FinalAction, None])
def test_a_debt_that_was_let_go_is_not_asked_for(action: FinalAction | None, full: MailFacts) -> None:
    mail = emails.render("subscription_changed", replace(full, final_action=action, has_debt_left=False))
    assert full.pay_url not in mail.text
    assert "€49.00" not in mail.text


def test_a_written_off_invoice_is_never_asked_for(full: MailFacts) -> None:
    mail = emails.render("subscription_changed", replace(full, final_action=FinalAction.MARK_UNCOLLECTIBLE))
    assert full.pay_url not in mail.text


def test_an_unknown_kind_is_refused_with_the_kinds_there_are(full: MailFacts) -> None:
    with pytest.raises(UnknownMail, match=r"no mail called dunning_7; there are payment_failed, action_required"):
        emails.render("dunning_7", full)
