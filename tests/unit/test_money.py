"""Money in minor units: the currencies that have none, those that have a thousand, and sums that never mix."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.money import THREE_DECIMAL, ZERO_DECIMAL, CurrencyMismatch, Money, exponent, format_money


@pytest.mark.parametrize(
    ("money", "amount"),
    [
        (Money(1999, "usd"), "19.99"),
        (Money(1999, "JPY"), "1999"),
        (Money(1999, "kwd"), "1.999"),
        (Money(-5, "eur"), "-0.05"),
        (Money(0, "krw"), "0"),
        (Money(10**15, "eur"), "10000000000000"),
    ],
)
def test_minor_units_become_the_amount_people_mean(money: Money, amount: str) -> None:
    assert money.decimal() == Decimal(amount)


def test_the_exponents_are_stripes() -> None:
    assert (exponent("usd"), exponent("JPY"), exponent("bhd"), exponent("ugx"), exponent("isk")) == (2, 0, 3, 2, 2)
    assert not ZERO_DECIMAL & THREE_DECIMAL


def test_a_currency_is_one_however_it_is_written() -> None:
    assert Money(1, "EUR") == Money(1, "eur")


def test_sums_stay_in_one_currency() -> None:
    assert Money(1, "eur") + Money(2, "EUR") == Money(3, "eur")
    with pytest.raises(CurrencyMismatch, match="usd"):
        Money(1, "eur") + Money(1, "usd")


@given(st.integers(-(10**12), 10**12), st.sampled_from(["usd", "jpy", "kwd"]))
def test_no_minor_unit_is_lost_on_the_way_to_an_amount_and_back(minor: int, currency: str) -> None:
    assert Money(minor, currency).decimal() * 10 ** exponent(currency) == minor


@pytest.mark.parametrize(
    ("money", "locale", "shown"),
    [
        (Money(123456, "usd"), "en", "$1,234.56"),
        (Money(123456, "eur"), "de-DE", "1.234,56\xa0€"),
        (Money(123456, "eur"), "de_DE", "1.234,56\xa0€"),
        (Money(1234, "jpy"), "en", "¥1,234"),
        (Money(1234, "kwd"), "en", "KWD\xa01.234"),
        (Money(500000, "isk"), "en", "ISK\xa05,000.00"),
        (Money(123456, "eur"), "es", "1234,56\xa0€"),
        (Money(1234567, "eur"), "es-ES", "12.345,67\xa0€"),
        (Money(123456, "mxn"), "es-MX", "$1,234.56"),
        (Money(123456, "pln"), "pl", "1234,56\xa0zł"),
        (Money(123456, "brl"), "pt-BR", "R$\xa01.234,56"),
        (Money(123456, "eur"), "pt-PT", "1234,56\xa0€"),
        (Money(123456, "sek"), "sv", "1\xa0234,56\xa0kr"),
        (Money(123456, "jpy"), "ja", "￥123,456"),
        (Money(123456, "cny"), "zh-Hans", "¥1,234.56"),
        (Money(123456, "aed"), "ar", "\u200f1,234.56\xa0د.إ.\u200f"),
        (Money(123456, "usd"), "ar", "\u200f1,234.56\xa0US$\u200e"),
        (Money(123456, "eur"), "ar", "\u200f1,234.56\xa0€"),
    ],
)
def test_amounts_read_as_people_of_a_place_write_them_with_the_digits_stripe_counts(
    money: Money, locale: str, shown: str
) -> None:
    assert format_money(money, locale) == shown
