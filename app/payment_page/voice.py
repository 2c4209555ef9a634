"""The page's own texts, said by the same voice as the mails: same languages, dates, amounts and placeholders.

A catalogue leaf is a text, or a list of texts of which the first is said whose facts are all known.
"""

from collections.abc import Iterator, Mapping
from datetime import date as calendar_date
from datetime import datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from babel import negotiate_locale

from app.money import Money
from emails import MailFacts, Merchant
from emails.catalogue import FALLBACK, BrokenCatalogue, Catalogue, Leaf, languages
from emails.letter import Voice
from emails.phrase import Phrase, plain

NOON = time(12)
FOLDER = Path(__file__).parent / "translations"


class PageVoice(Voice):
    """Says page texts about one set of facts."""

    def __init__(self, facts: MailFacts, **more: Phrase | None) -> None:
        super().__init__(facts)
        self.catalogue = load(self.catalogue.language)
        self.values |= {name: phrase for name, phrase in more.items() if phrase is not None}
        self.known = frozenset(self.values)

    def money(self, money: Money) -> Phrase:
        """An amount as the customer writes it, apart from the direction of what stands around it."""
        return self.isolate(super().money(money))

    def day(self, moment: datetime) -> Phrase:
        """`Friday, March 27` in the customer's zone, apart likewise."""
        return self.isolate(super().day(moment))

    def date(self, moment: datetime) -> Phrase:
        """`March 27, 2026` in the customer's zone, apart likewise."""
        return self.isolate(super().date(moment))

    def named(self, name: str, is_ltr: bool = False) -> Phrase:
        """A name or an address from outside, apart likewise."""
        return self.isolate(plain(name), is_ltr)

    def template(self, key: str) -> str:
        """A text as it stands in the catalogue, for a value that is put together from it."""
        found = self.catalogue.find(key, frozenset({"price"}))
        if found is None:
            raise BrokenCatalogue(f"{self.language}: {key} needs more than a price")
        return found

    def calendar_day(self, day: calendar_date) -> Phrase:
        """`Friday, March 27`: a day of the customer's own calendar."""
        return self.day(datetime.combine(day, NOON, self.zone))

    @property
    def gap(self) -> str:
        """What stands between two sentences: nothing where a language is written without blanks."""
        return "" if self.locale.language in ("ja", "zh") else " "

    @property
    def language(self) -> str:
        """BCP 47, for the page's `lang`."""
        return self.catalogue.language

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, for the page's `dir`."""
        return "rtl" if self.locale.character_order == "right-to-left" else "ltr"


def voice_for_stranger(accepted: str | None, base_url: str) -> PageVoice:
    """A voice that knows nobody, in the language the browser asks for."""
    wanted = [part.split(";")[0].strip() for part in (accepted or "").split(",")]
    found = negotiate_locale([word for word in wanted if word], list(languages()), sep="-")
    return PageVoice(MailFacts(merchant=Merchant(name=""), pay_url=base_url, locale=found or FALLBACK))


@lru_cache
def load(language: str) -> Catalogue:
    """The page's texts in exactly this language; raises `BrokenCatalogue`."""
    return read_catalogue(FOLDER, language)


def read_catalogue(folder: Path, language: str) -> Catalogue:
    """The texts in one folder in exactly this language; raises `BrokenCatalogue`."""
    path = folder / f"{language}.yaml"
    if not path.exists():
        raise BrokenCatalogue(f"the mails speak {language}, {folder.parent.name} does not: add {path.name}")
    return Catalogue(language, dict(_leaves(yaml.safe_load(path.read_text(encoding="utf-8")), "")))


def _leaves(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Leaf]]:
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", tuple(value) if isinstance(value, list) else (str(value),)
