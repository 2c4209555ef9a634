"""Writes moments and amounts as the customer reads them: one locale, one zone. Refuses to know texts and facts."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale
from babel.lists import format_list
from markupsafe import Markup

from app.money import Money, format_money
from emails import moments
from emails.phrase import Phrase, literal

_ISOLATE, _ISOLATE_LTR, _END = "\u2068", "\u2066", "\u2069"


class Pen:
    """One customer's way of writing dates, times, money and foreign words."""

    locale: Locale
    zone: ZoneInfo

    @property
    def is_rtl(self) -> bool:
        """Whether the language is written from right to left."""
        return self.locale.text_direction == "rtl"

    @property
    def is_wide(self) -> bool:
        """Whether the language is written in wide signs without blanks between words."""
        return self.locale.language in moments.WIDE

    def day(self, moment: datetime) -> Phrase:
        """`Friday, March 27` in the customer's zone."""
        return literal(moments.day(moment, self.locale, self.zone))

    def date(self, moment: datetime) -> Phrase:
        """`March 27, 2026` in the customer's zone."""
        return literal(moments.date(moment, self.locale, self.zone))

    def clock_time(self, moment: datetime) -> Phrase:
        """The time of day with its zone."""
        return literal(moments.clock_time(moment, self.locale, self.zone))

    def minute(self, moment: datetime) -> Phrase:
        """Weekday, day, month and time of day with its zone."""
        return literal(moments.minute(moment, self.locale, self.zone))

    def money(self, money: Money) -> Phrase:
        """An amount as the customer writes it."""
        return literal(format_money(money, str(self.locale)))

    def sum_of(self, amounts: Iterable[Money]) -> Phrase | None:
        """What the amounts come to; several currencies are listed side by side, never added."""
        sums: dict[str, Money] = {}
        for amount in amounts:
            sums[amount.currency] = sums[amount.currency] + amount if amount.currency in sums else amount
        written = [self.money(money).text for money in sums.values()]
        return literal(format_list(written, locale=self.locale)) if written else None

    def isolate(self, phrase: Phrase, is_ltr: bool = False) -> Phrase:
        """A foreign word inside a right-to-left sentence keeps its own direction and its full stop on its own side.

        `is_ltr` is for what has no letter to tell the direction by, such as the last digits of a card.
        """
        if not self.is_rtl:
            return phrase
        opening, direction = (_ISOLATE_LTR, "ltr") if is_ltr else (_ISOLATE, "auto")
        html = Markup('<span dir="{}">{}</span>').format(direction, phrase.html)
        return Phrase(f"{opening}{phrase.text}{_END}", html)
