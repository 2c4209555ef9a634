"""That the mails say what is true, and no more than the customer may be told."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

import emails
from app.money import Money
from app.vocabulary import FinalActionKind
from emails import Card, DeclineReason, FinalAction, MailFacts, NaiveMoment, Owed, UnsafeLink
from emails.catalogue import languages

RESUMES = datetime(2026, 5, 24, 9, tzinfo=UTC)


def said(mail: emails.RenderedMail) -> str:
    """Subject, preheader and text as one line, as a person reads them."""
    return " ".join(
        f"{mail.subject} {mail.preheader} {mail.text}".replace("\u202f", " ").replace("\u00a0", " ").split()
    )


def test_the_final_actions_are_those_of_the_case() -> None:
    assert {action.value for action in FinalAction} == {kind.value for kind in FinalActionKind}


def test_each_reason_for_a_decline_has_words_of_its_own(full: MailFacts) -> None:
    texts = {emails.render("payment_failed", replace(full, decline_reason=reason)).text for reason in DeclineReason}
    assert len(texts) == len(DeclineReason)


def test_a_temporary_problem_with_a_next_try_asks_for_nothing(full: MailFacts) -> None:
    temporary = replace(full, decline_reason=DeclineReason.TEMPORARY)
    assert "You don’t need to do anything. We’ll try again on Friday, March 27." in said(
        emails.render("payment_failed", temporary)
    )


@pytest.mark.parametrize("kind", ["payment_failed", "reminder", "final_notice"])
@pytest.mark.parametrize("reason", DeclineReason)
def test_no_next_try_is_promised_when_none_is_planned(kind: str, reason: DeclineReason, full: MailFacts) -> None:
    text = said(emails.render(kind, replace(full, decline_reason=reason, next_attempt_at=None)))
    assert "try again" not in text
    assert "try your card again" not in text


@pytest.mark.parametrize("kind", ["reminder", "final_notice"])
def test_a_try_after_the_end_is_not_announced_as_coming_before_it(kind: str, full: MailFacts) -> None:
    late = replace(full, next_attempt_at=datetime(2026, 4, 2, tzinfo=UTC))
    text = emails.render(kind, late).text
    assert "try your card again" not in text


def test_approval_asked_by_the_bank_reads_the_same_first_or_later(full: MailFacts) -> None:
    facts = replace(full, decline_reason=DeclineReason.NEEDS_APPROVAL)
    assert emails.render("payment_failed", facts) == emails.render("action_required", facts)


@pytest.mark.parametrize("locale", languages())
@pytest.mark.parametrize("kind", emails.kinds)
def test_a_first_mail_never_threatens(kind: str, locale: str, full: MailFacts) -> None:
    """Only the reminder and later mails name the final action."""
    text = said(emails.render(kind, replace(full, locale=locale)))
    after_the_first = ("reminder", "final_notice", "subscription_changed", "choice_confirmed", "promise_broken")
    assert ("Fernweh Free" in text) == (kind in after_the_first)


def test_the_final_notice_says_what_happens_and_when_to_the_minute(full: MailFacts) -> None:
    text = said(emails.render("final_notice", full))
    assert "If it’s still open on Wednesday, April 1, your subscription moves to Fernweh Free that day." in text
    assert "Pay before: Wednesday, April 1, 10:00 AM (Central European Summer Time)" in text


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        (FinalAction.CANCEL_NOW, "your subscription ends that day"),
        (FinalAction.CANCEL_AT_PERIOD_END, "your subscription won’t renew and ends on April 30, 2026"),
        (FinalAction.DOWNGRADE, "your subscription moves to Fernweh Free that day"),
        (FinalAction.PAUSE, "your subscription is paused that day"),
        (FinalAction.MARK_UNCOLLECTIBLE, "we’ll stop trying to collect it"),
        (FinalAction.LEAVE, "we’ll stop trying to collect it"),
        (None, "we’ll stop trying to collect it"),
    ],
)
def test_each_final_action_is_announced_as_what_it_is(
    action: FinalAction | None, sentence: str, full: MailFacts
) -> None:
    assert sentence in said(emails.render("final_notice", replace(full, final_action=action)))


@pytest.mark.parametrize(
    ("timezone", "day"),
    [
        ("America/Los_Angeles", "Saturday, March 7"),
        ("Europe/Berlin", "Sunday, March 8"),
        ("Pacific/Kiritimati", "Sunday, March 8"),
        ("not/a zone", "Sunday, March 8"),
    ],
)
def test_a_day_is_the_customers_own_day(timezone: str, day: str, full: MailFacts) -> None:
    facts = replace(full, timezone=timezone, next_attempt_at=datetime(2026, 3, 8, 7, 30, tzinfo=UTC))
    assert day in said(emails.render("payment_failed", facts))


def test_the_hour_follows_the_change_to_summer_time(full: MailFacts) -> None:
    before = replace(full, final_action_at=datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
    after = replace(full, final_action_at=datetime(2026, 3, 29, 1, 30, tzinfo=UTC))
    assert "March 29, 1:30 AM (Central European Standard Time)" in said(emails.render("final_notice", before))
    assert "March 29, 3:30 AM (Central European Summer Time)" in said(emails.render("final_notice", after))


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en-US", "We’ll try this card again on Friday, March 27"),
        ("en-GB", "We’ll try this card again on Friday, 27 March"),
        ("de-AT", "Am Freitag, 27. März versuchen wir es"),
        ("fr-CA", "Nous réessaierons avec cette carte le vendredi 27 mars"),
        ("es-MX", "Volveremos a intentarlo con esta tarjeta el viernes 27 de marzo"),
        ("pl", "Spróbujemy ponownie z tą kartą 27 marca (piątek)"),
        ("pt-PT", "Vamos tentar de novo neste cartão no dia 27 de março (sexta-feira)"),
        ("ja", "3月27日（金）に同じカードでもう一度お試しします"),
        ("zh-TW", "我们会在3月27日（星期五）用这张卡再试一次"),
        ("ar", "سنحاول بهذه البطاقة مجددًا يوم الجمعة 27 مارس"),
        ("ko", "We’ll try this card again on Friday, March 27"),
    ],
)
def test_dates_follow_the_language_of_the_sentence(locale: str, expected: str, full: MailFacts) -> None:
    assert expected in said(emails.render("payment_failed", replace(full, locale=locale)))


@pytest.mark.parametrize(
    ("locale", "money", "written"),
    [
        ("en-US", Money(4900, "usd"), "$49.00"),
        ("de", Money(123456, "eur"), "1.234,56 €"),
        ("fr", Money(123456, "eur"), "1 234,56 €"),
        ("en-US", Money(4900, "jpy"), "¥4,900"),
        ("en-US", Money(4905, "kwd"), "KWD 4.905"),
    ],
)
def test_money_has_the_decimals_of_its_currency(locale: str, money: Money, written: str, full: MailFacts) -> None:
    mail = emails.render("reminder", replace(full, locale=locale, amounts=(Owed(money),)))
    assert written in said(mail)
    assert written in mail.subject.replace("\u202f", " ").replace("\u00a0", " ")


def test_several_invoices_are_listed_and_summed(full: MailFacts) -> None:
    two = replace(full, amounts=(*full.amounts, Owed(Money(1050, "eur"), None, "Extra seats")))
    text = said(emails.render("reminder", two))
    assert "Pro plan, monthly (Invoice FW-0042): €49.00 Extra seats: €10.50 Total: €59.50" in text


def test_two_currencies_stand_side_by_side(full: MailFacts) -> None:
    two = replace(full, amounts=(*full.amounts, Owed(Money(1050, "usd"))))
    assert "Total: €49.00 and $10.50" in said(emails.render("reminder", two))


@pytest.mark.parametrize(
    ("locale", "count", "expected"),
    [
        ("en", 9, "and 1 more invoice "),
        ("en", 10, "and 2 more invoices"),
        ("de", 9, "und 1 weitere Rechnung "),
        ("fr", 10, "et 2 autres factures"),
        ("es", 9, "y 1 factura más"),
        ("pl", 10, "i jeszcze 2 faktury"),
        ("pl", 13, "i jeszcze 5 faktur"),
        ("pl", 30, "i jeszcze 22 faktury"),
        ("ar", 9, "وفاتورة واحدة أخرى"),
        ("ar", 10, "وفاتورتان أخريان"),
        ("ar", 11, "و3 فواتير أخرى"),
        ("ar", 19, "و11 فاتورة أخرى"),
        ("ja", 10, "ほか 2 件の請求書"),
    ],
)
def test_a_long_list_ends_with_how_many_more(locale: str, count: int, expected: str, full: MailFacts) -> None:
    many = replace(full, locale=locale, amounts=full.amounts * count)
    assert expected in said(emails.render("reminder", many))


@pytest.mark.parametrize("locale", ["", "xx", "tlh-Latn", "e", "en-", "../../etc/passwd", "fr_FR.UTF-8", "DE"])
def test_any_locale_at_all_gives_a_mail(locale: str, full: MailFacts) -> None:
    assert emails.render("payment_failed", replace(full, locale=locale)).text


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "pay.example/x", "https://", "https://a b", "", "ftp://x/y"]
)
def test_a_link_that_is_no_web_address_is_refused(address: str, full: MailFacts) -> None:
    with pytest.raises(UnsafeLink):
        replace(full, pay_url=address)
    with pytest.raises(UnsafeLink):
        replace(full, receipt_url=address)


def test_a_moment_without_a_zone_is_refused(full: MailFacts) -> None:
    with pytest.raises(NaiveMoment, match="next_attempt_at has no time zone"):
        replace(full, next_attempt_at=datetime(2026, 3, 27, 9, 5))  # noqa: DTZ001  the naive moment is the point


PLAN_TALK = re.compile(
    r"subscription|\bplan\b|Abo\b|Tarif|abonnement|formule|suscripci|with us|bei uns|parmi nous|con nosotros|"
    r"abbonament|\bpiano\b|con noi|assinatura|plano\b|pakket|prenumeration|paket|subskrypcj|z nami|"
    r"ご契約|プラン|订阅|套餐|اشتراك|باقة|معنا"
)


@pytest.mark.parametrize("locale", languages())
@pytest.mark.parametrize("action", [FinalAction.LEAVE, FinalAction.MARK_UNCOLLECTIBLE])
@pytest.mark.parametrize(
    "kind",
    [
        "payment_failed",
        "action_required",
        "reminder",
        "fresh_link",
        "final_notice",
        "recovered",
        "promise_confirmed",
        "promise_broken",
    ],
)
def test_a_debt_of_no_subscription_is_called_by_its_invoice(
    kind: str, action: FinalAction, locale: str, full: MailFacts
) -> None:
    one_off = replace(
        full,
        locale=locale,
        is_about_subscription=False,
        final_action=action,
        product_name=None,
        access_until=None,
        amounts=(Owed(Money(4900, "eur"), "FW-0042", "Setup"),),
    )
    text = said(emails.render(kind, one_off))
    assert PLAN_TALK.findall(text) == []
    assert text.count("FW-0042") > 1
    assert "Setup" in text


def test_an_invoice_without_lines_in_words_is_named_once_in_the_panel(full: MailFacts) -> None:
    bare_line = replace(full, is_about_subscription=False, amounts=(Owed(Money(4900, "eur"), "FW-0042"),))
    assert "Invoice FW-0042: €49.00" in said(emails.render("reminder", bare_line))


def test_who_loses_nothing_is_given_no_deadline(full: MailFacts) -> None:
    for action in (FinalAction.LEAVE, None):
        text = said(emails.render("final_notice", replace(full, final_action=action)))
        assert "Pay before" not in text
        assert "We won’t remind you again." in text
        assert "keep you with us" not in text


@pytest.mark.parametrize(
    ("brand", "shown"),
    [
        ("visa", "Card: Visa •••• 4242"),
        ("mastercard", "Card: Mastercard •••• 4242"),
        ("amex", "Card: American Express •••• 4242"),
        ("cartes_bancaires", "Card: Cartes Bancaires •••• 4242"),
        ("brand_new", "Card: Brand New •••• 4242"),
        ("unknown", "Card: •••• 4242"),
    ],
)
def test_a_card_is_called_as_its_brand_writes_itself(brand: str, shown: str, full: MailFacts) -> None:
    assert shown in said(emails.render("reminder", replace(full, card=Card(brand, "4242"))))


@pytest.mark.parametrize(
    ("action", "told"),
    [
        (FinalAction.PAUSE, "is paused. You pay nothing for it until May 24, 2026; then it goes on by itself."),
        (FinalAction.DOWNGRADE, "is now on Fernweh Free. From the next bill on you pay the smaller price."),
        (FinalAction.CANCEL_AT_PERIOD_END, "ends on April 30, 2026. Until then it stays as it is"),
    ],
)
def test_a_choice_is_confirmed_with_what_stays_owed_and_the_way_back(
    full: MailFacts, action: FinalAction, told: str
) -> None:
    text = said(emails.render("choice_confirmed", replace(full, final_action=action, resumes_at=RESUMES)))
    assert told in text
    assert "€49.00 is still to be paid. We won’t remind you of it" in text
    assert "Once it’s paid, you can take this back" in text


def test_a_choice_that_drops_the_debt_asks_for_nothing(full: MailFacts) -> None:
    ended = replace(full, final_action=FinalAction.CANCEL_NOW, has_debt_left=False, is_debt_dropped=True)
    mail = emails.render("choice_confirmed", ended)
    assert "You don’t have to pay the open €49.00 any more." in said(mail)
    assert full.pay_url not in mail.html
    assert "take this back" not in said(mail)


def test_a_choice_whose_debt_was_paid_meanwhile_says_nothing_of_it(full: MailFacts) -> None:
    text = said(emails.render("choice_confirmed", replace(full, final_action=FinalAction.PAUSE, has_debt_left=False)))
    assert "49" not in text.replace(full.card.last4 if full.card else "", "")
