"""What every mail consists of, and the voice it is written in.

A mail module decides what is said; `Voice` says it in the customer's language from the facts at hand; `Letter` is the
result before it is laid out. Refuses to know HTML structure and which mails exist.
"""

from dataclasses import dataclass
from datetime import datetime

from babel.lists import format_list

from app.money import Money, format_money
from emails import moments
from emails.catalogue import nearest
from emails.facts import MailFacts
from emails.phrase import Phrase, compose, link, literal, plain, tidy

# More lines than this make a mail a statement; the page behind the link lists them all.
MOST_LINES = 8
# Names go into subjects, which are cut at about 78 characters anyway, and a first name longer than this is none.
_NAME_LIMIT = 60
_FIRST_NAME_LIMIT = 40


@dataclass(frozen=True)
class Line:
    """One thing that is owed: what for, the invoice, how much."""

    title: Phrase
    detail: Phrase | None
    amount: Phrase


@dataclass(frozen=True)
class Row:
    """A label and its value in the panel, or a date and what happens on it."""

    label: Phrase
    value: Phrase
    is_strong: bool = False


@dataclass(frozen=True)
class Button:
    label: Phrase
    url: str


@dataclass(frozen=True)
class Letter:
    """A mail before layout. Empty parts are simply not there."""

    subject: Phrase
    preheader: Phrase
    heading: Phrase
    paragraphs: tuple[Phrase, ...]
    button: Button | None = None
    button_note: Phrase | None = None
    lines: tuple[Line, ...] = ()
    more_lines: Phrase | None = None
    rows: tuple[Row, ...] = ()
    steps: tuple[Row, ...] = ()
    closing: tuple[Phrase, ...] = ()


class Voice:
    """Says catalogue texts about one set of facts, in the customer's language, zone and money format."""

    def __init__(self, facts: MailFacts) -> None:
        self.facts = facts
        self.catalogue, self.locale = nearest(facts.locale)
        self.zone = moments.zone(facts.timezone)
        self.values = self._values()
        self.known = frozenset(self.values)

    def find(self, key: str, count: int | None = None) -> Phrase | None:
        """The text of `key`, or None where the facts it needs are missing. Raises BrokenCatalogue for no such key."""
        template = self.catalogue.find(key, self.known, count)
        if template is None:
            return None
        values = self.values if count is None else {**self.values, "count": plain(str(count))}
        return compose(template, values)

    def say(self, key: str, count: int | None = None) -> Phrase:
        """The text of `key`, which must be sayable whatever is missing (a test holds every catalogue to that)."""
        phrase = self.find(key, count)
        if phrase is None:
            raise LookupError(f"{self.catalogue.language}: {key} cannot be said without optional facts")
        return phrase

    def all_of(self, *keys: str) -> tuple[Phrase, ...]:
        """The texts of `keys`, without those that the facts do not allow."""
        return tuple(phrase for key in keys if (phrase := self.find(key)))

    def pair(self, label: Phrase, value: Phrase) -> str:
        """`Card: Visa 4242` for the text part, with the colon of the language."""
        template = self.catalogue.find("pair", frozenset({"label", "value"})) or ""
        return compose(template, {"label": label, "value": value}).text.rstrip()

    def day(self, moment: datetime) -> Phrase:
        """`Friday, March 27` in the customer's zone."""
        return literal(moments.day(moment, self.locale, self.zone))

    def date(self, moment: datetime) -> Phrase:
        """`March 27, 2026` in the customer's zone."""
        return literal(moments.date(moment, self.locale, self.zone))

    def clock_time(self, moment: datetime) -> Phrase:
        """The time of day with its zone."""
        return literal(moments.clock_time(moment, self.locale, self.zone))

    def money(self, money: Money) -> Phrase:
        """An amount as the customer writes it."""
        return literal(format_money(money, str(self.locale)))

    def total(self) -> Phrase | None:
        """What is owed in all; several currencies are listed side by side, never added."""
        sums: dict[str, Money] = {}
        for owed in self.facts.amounts:
            currency = owed.amount.currency
            sums[currency] = sums[currency] + owed.amount if currency in sums else owed.amount
        written = [self.money(money).text for money in sums.values()]
        return literal(format_list(written, locale=self.locale)) if written else None

    def _invoice(self) -> Phrase | None:
        """`invoice FW-0042`: what a debt is called that belongs to no subscription."""
        number = tidy(self.facts.invoice_number or "", _NAME_LIMIT)
        template = self.catalogue.find("named_invoice", frozenset({"number"}))
        if self.facts.is_about_subscription or not number or template is None:
            return None
        return compose(template, {"number": literal(number)})

    def _values(self) -> dict[str, Phrase]:
        facts = self.facts
        merchant = literal(tidy(facts.merchant.name, _NAME_LIMIT))
        support = facts.merchant.support_email
        possible = {
            "merchant": merchant,
            "product": self._invoice() or _named(facts.product_name) or merchant,
            "plan": _named(facts.downgrade_to),
            "name": _greetable(facts.customer_first_name),
            "amount": self.total(),
            "support": link(tidy(support), f"mailto:{tidy(support)}") if support else None,
            "retry_date": self.day(facts.next_attempt_at) if facts.next_attempt_at else None,
            "final_date": self.day(facts.final_action_at) if facts.final_action_at else None,
            "final_time": self.clock_time(facts.final_action_at) if facts.final_action_at else None,
            "period_end": self.date(facts.period_ends_at) if facts.period_ends_at else None,
            "access_date": self.day(facts.access_until) if facts.access_until else None,
            "paid_date": self.date(facts.paid_at) if facts.paid_at else None,
        }
        return {name: phrase for name, phrase in possible.items() if phrase}


def _named(value: str | None) -> Phrase | None:
    line = tidy(value or "", _NAME_LIMIT)
    return literal(line) if line else None


def _greetable(name: str | None) -> Phrase | None:
    """A first name, unless it is something a mail program would turn into a link: sign-up forms are filled in by
    strangers, and a stranger's address must not be delivered under the merchant's name."""
    line = tidy(name or "")
    looks_like_link = "/" in line or "@" in line or "." in line.rstrip(".")
    return plain(line) if line and len(line) <= _FIRST_NAME_LIMIT and not looks_like_link else None
