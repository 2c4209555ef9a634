"""What every mail consists of, and the voice it is written in.

A mail module decides what is said; `Voice` says it in the customer's language from the facts at hand; `Letter` is the
result before it is laid out. Refuses to know HTML structure and which mails exist.
"""

from dataclasses import dataclass

from emails import moments
from emails.catalogue import nearest
from emails.facts import MailFacts
from emails.pen import Pen
from emails.phrase import Phrase, compose, plain
from emails.values import values_of
from emails.wording import OwnTexts

# More lines than this make a mail a statement; the page behind the link lists them all.
MOST_LINES = 8


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


class Voice(Pen):
    """Says texts about one set of facts, in the customer's language, zone and money format; the operator's own texts
    where there are any that can be said."""

    def __init__(self, facts: MailFacts, own: OwnTexts | None = None) -> None:
        self.facts = facts
        self.own = own or OwnTexts()
        self.catalogue, self.locale = nearest(facts.locale)
        self.zone = moments.zone(facts.timezone)
        named_invoice = self.catalogue.find("named_invoice", frozenset({"number"}))
        self.values = values_of(facts, self, named_invoice)
        self.known = frozenset(self.values)

    def find(self, key: str, count: int | None = None) -> Phrase | None:
        """The text of `key`, or None where the facts it needs are missing. Raises BrokenCatalogue for no such key."""
        values = self.values if count is None else {**self.values, "count": plain(str(count))}
        form, known = self.catalogue.form(key, count), frozenset(values)
        own = self.own.find(self.catalogue.language, key, form, known)
        template = own if own is not None else self.catalogue.find(key, known, count)
        return compose(template, values) if template is not None else None

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

    def total(self) -> Phrase | None:
        """What is owed in all; several currencies are listed side by side, never added."""
        return self.sum_of(owed.amount for owed in self.facts.amounts)
