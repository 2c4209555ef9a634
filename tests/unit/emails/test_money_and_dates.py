"""Any amount, currency and moment, in every language: what the mail shows is exactly what is owed and when."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

import emails
from app.money import THREE_DECIMAL, ZERO_DECIMAL, Money, format_money
from emails import FinalAction, MailFacts, Merchant, Owed, moments
from emails.catalogue import languages, nearest

LOCALES = st.sampled_from([*languages(), "en-GB", "es-MX", "fr-CA", "pt-PT", "de-CH", "ar-EG", "zh-TW"])
CURRENCIES = st.sampled_from(["usd", "eur", "gbp", "brl", "pln", "sek", "cny", "inr", *ZERO_DECIMAL, *THREE_DECIMAL])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Kiritimati"])
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2039, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def number_in(written: str, money: Money) -> Decimal:
    """The amount that a reader takes from `written`: all digits, the last ones behind the point if there are any."""
    digits = "".join(re.findall(r"\d", written))
    return Decimal(digits).scaleb(money.decimal().as_tuple().exponent)  # type: ignore[arg-type]


@given(minor=st.integers(0, 10**11), currency=CURRENCIES, locale=LOCALES)
def test_no_digit_of_an_amount_is_lost_or_made_up(minor: int, currency: str, locale: str) -> None:
    money = Money(minor, currency)
    written = format_money(money, str(nearest(locale)[1]))
    assert number_in(written, money) == money.decimal()
    assert re.fullmatch(r"[^\d]*(\d{1,5}|\d{1,3}(\D\d{2,3})+)([.,]\d{2,3})?[^\d]*", written), written


@given(locale=LOCALES, moment=MOMENTS, zone=ZONES)
def test_a_day_is_the_customers_day_in_every_language(locale: str, moment: datetime, zone: str) -> None:
    local = moment.astimezone(ZoneInfo(zone))
    writing = nearest(locale)[1]
    day, date = moments.day(moment, writing, ZoneInfo(zone)), moments.date(moment, writing, ZoneInfo(zone))
    assert str(local.day) in [number.lstrip("0") for number in re.findall(r"\d+", day)]
    assert {str(local.day), str(local.year)} <= {number.lstrip("0") for number in re.findall(r"\d+", date)}
    assert str(local.year) not in day


@settings(max_examples=40, deadline=None)
@given(minor=st.integers(1, 10**9), currency=CURRENCIES, locale=LOCALES, moment=MOMENTS, zone=ZONES)
def test_the_final_notice_names_amount_and_minute_whatever_they_are(
    minor: int, currency: str, locale: str, moment: datetime, zone: str
) -> None:
    owed = Owed(Money(minor, currency), "N-1", "Plan")
    facts = MailFacts(
        Merchant("Kumo"),
        "https://pay.example/x",
        (owed,),
        locale=locale,
        timezone=zone,
        final_action=FinalAction.CANCEL_NOW,
        final_action_at=moment,
    )
    writing = nearest(locale)[1]
    mail = emails.render("final_notice", facts)
    for said in (format_money(owed.amount, str(writing)), moments.minute(moment, writing, ZoneInfo(zone))):
        assert said in mail.text
        assert said in mail.html.replace("&#39;", "'")
