"""Names, products and links come from strangers. None of them may become markup, a link or a second line."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import emails
from app.money import Money
from emails import Card, MailFacts, Merchant, Owed

HOSTILE = '<b onclick="x">&amp;{merchant}{{ 7*7 }}**x**\r\nBcc: a@b.example</b>'


@pytest.mark.parametrize("kind", emails.kinds)
def test_no_value_becomes_markup_or_a_header(kind: str, full: MailFacts) -> None:
    hostile = replace(
        full,
        merchant=replace(full.merchant, name=HOSTILE, postal_address=HOSTILE, support_email='a"><b>@x.example'),
        amounts=(Owed(Money(1, "eur"), HOSTILE, HOSTILE), Owed(Money(1, "eur"), HOSTILE, HOSTILE)),
        product_name=HOSTILE,
        downgrade_to=HOSTILE,
        card=Card(HOSTILE, HOSTILE),
    )
    mail = emails.render(kind, hostile)
    assert "<b" not in mail.html.replace("<body", "").replace("<br", "")
    assert "49" not in mail.subject
    assert len(mail.subject.splitlines()) == 1


def test_a_first_name_with_a_tag_is_escaped(full: MailFacts) -> None:
    mail = emails.render("payment_failed", replace(full, customer_first_name="<b>"))
    assert "Hi &lt;b&gt;," in mail.html
    assert "Hi <b>," in mail.text


@pytest.mark.parametrize("name", ["win.example", "http://x", "a@b", "x" * 41, "  ", "\u202e"])
def test_a_name_that_is_none_is_not_greeted(name: str, full: MailFacts) -> None:
    mail = emails.render("payment_failed", replace(full, customer_first_name=name))
    assert mail.text.startswith("Hello,\n")


@pytest.mark.parametrize("name", ["Ana", "Jean-Luc", "O’Brien", "J.", "美咲", "Åsa", "علی‌رضا"])
def test_real_names_are_greeted(name: str, full: MailFacts) -> None:
    assert emails.render("payment_failed", replace(full, customer_first_name=name)).text.startswith(f"Hi {name},\n")


@pytest.mark.parametrize("colour", ["red", "#12", "url(x)", "#fff;}</style><script>", "", "#GGGGGG"])
def test_a_colour_that_is_none_is_left_out(colour: str, full: MailFacts) -> None:
    mail = emails.render("payment_failed", replace(full, merchant=replace(full.merchant, brand_color=colour)))
    default = emails.render("payment_failed", replace(full, merchant=replace(full.merchant, brand_color=None)))
    assert mail == default


@pytest.mark.parametrize("address", ["javascript:alert(1)", "//x", "logo.png", "data:image/png;base64,x"])
def test_a_logo_or_website_that_is_no_web_address_is_left_out(address: str, full: MailFacts) -> None:
    merchant = replace(full.merchant, logo_url=address, website=address)
    mail = emails.render("payment_failed", replace(full, merchant=merchant))
    assert address not in mail.html
    assert address not in mail.text


def test_blank_facts_count_as_missing(full: MailFacts) -> None:
    blank = replace(full, product_name=" \n", downgrade_to="\t", customer_first_name="")
    text = " ".join(emails.render("final_notice", blank).text.split())
    assert text.startswith("Hello, ")
    assert "moves to a smaller plan" in text
    assert "payment for Fernweh Studio" in text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(name=st.text(min_size=1), product=st.text(), kind=st.sampled_from(sorted(emails.kinds)))
def test_whatever_was_typed_a_mail_comes_out_in_one_piece(kind: str, name: str, product: str) -> None:
    facts = MailFacts(Merchant(name), "https://pay.example/x", customer_first_name=name, product_name=product)
    mail = emails.render(kind, facts)
    assert len(mail.subject.splitlines()) == 1
    assert len(mail.html.encode()) < 100_000
    assert mail.text.endswith("\n")


def test_a_page_with_answers_stands_beside_the_address_or_alone_and_only_if_it_is_a_web_page(full: MailFacts) -> None:
    def helped(**merchant: str | None) -> str:
        return emails.render("reminder", replace(full, merchant=replace(full.merchant, **merchant))).text

    page = "https://fernweh.example/help"
    both = helped(support_email="help@fernweh.example", support_url=page)
    assert f"Write to help@fernweh.example, or have a look here:\n{page}" in both
    assert f"Questions? Have a look here: {page}" in helped(support_email=None, support_url=page)
    assert "javascript" not in helped(support_url="javascript:alert(1)")
    assert "Questions?" not in helped(support_email=None, support_url=None)
