"""Money as Stripe counts it: whole minor units of one currency. Sums never mix currencies.

Source of the exponents: Stripe's list of zero- and three-decimal currencies.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale
from babel.numbers import format_currency

from app.errors import RecoupError

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_CODE_MEETS_NUMBER = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")  # CLDR currency spacing, not in Babel
# between words that run from right to left the dollar of `US$` would stand on the wrong side of its letters
_SIGN_AFTER_LETTERS = re.compile(r"(?<=[A-Z])[^\w\s]+$", re.ASCII)
# CLDR's minimum grouping digits of 2, which Babel does not carry: 1234,56 but 12.345,67. By language, or with country.
WHOLE_THOUSANDS = frozenset("bg es_ES es_None et hu hy it ka lv pl pt_PT".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())


class CurrencyMismatch(RecoupError):
    """Two currencies met in one sum."""


def exponent(currency: str) -> int:
    """Digits after the decimal point in which Stripe counts `currency`."""
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


@dataclass(frozen=True)
class Money:
    """An amount in minor units (`1999` is 19.99 for `usd`, 1999 for `jpy`) and its lower-case ISO currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "currency", self.currency.lower())

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(f"cannot add {other.currency} to {self.currency}")
        return Money(self.minor + other.minor, self.currency)

    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))


def format_money(money: Money, locale: str = "en") -> str:
    """The amount as people of `locale` (BCP 47 or POSIX) write it, with as many digits as Stripe counts."""
    known = Locale.parse(locale, sep="-" if "-" in locale else "_")
    digits = exponent(money.currency)
    with_digits = re.sub(r"0\.00", "0." + "0" * digits if digits else "0", known.currency_formats["standard"].pattern)
    shown = format_currency(
        money.decimal(),
        money.currency.upper(),
        with_digits,
        locale=known,
        currency_digits=False,
        group_separator=abs(money.decimal()) >= 10_000 or not _keeps_thousands_whole(known),
    )
    spaced = _CODE_MEETS_NUMBER.sub("\N{NO-BREAK SPACE}", shown)
    is_rtl = known.text_direction == "rtl"
    return _SIGN_AFTER_LETTERS.sub("\\g<0>\N{LEFT-TO-RIGHT MARK}", spaced) if is_rtl else spaced


def _keeps_thousands_whole(locale: Locale) -> bool:
    return not WHOLE_THOUSANDS.isdisjoint({locale.language, f"{locale.language}_{locale.territory}"})
