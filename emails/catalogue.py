"""The translated texts: one YAML file a language, looked up by dotted keys, with the nearest language as fallback.

A leaf is a text, a list of texts (the first one whose placeholders are all known is said, so that a missing fact
shortens a sentence instead of breaking it), or CLDR plural forms. Knows no mail and no facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from babel import Locale, UnknownLocaleError

from app.errors import RecoupError
from emails import placeholders

FOLDER = Path(__file__).parent / "translations"
FALLBACK = "en"
PLURAL_FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})


class BrokenCatalogue(RecoupError):
    """A translation file that does not say what it must."""


@dataclass(frozen=True)
class Plural:
    """One text for each CLDR plural category of the language."""

    forms: Mapping[str, str]


Leaf = tuple[str, ...] | Plural


@dataclass(frozen=True)
class Catalogue:
    """All texts of one language, by dotted key."""

    language: str
    leaves: Mapping[str, Leaf]

    def find(self, key: str, known: frozenset[str], count: int | None = None) -> str | None:
        """The template of `key` that can be filled from the `known` names, or None. Raises BrokenCatalogue for a key
        that does not exist."""
        try:
            leaf = self.leaves[key]
        except KeyError:
            raise BrokenCatalogue(f"{self.language}: no text for {key}") from None
        if isinstance(leaf, Plural):
            return leaf.forms[Locale.parse(self.language, sep="-").plural_form(count or 0)]
        return next((template for template in leaf if placeholders.names_in(template) <= known), None)


def languages() -> tuple[str, ...]:
    """The languages there are catalogues for, as BCP 47."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@lru_cache
def load(language: str) -> Catalogue:
    """The catalogue of exactly this language. Raises BrokenCatalogue."""
    content = yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return Catalogue(language, dict(_flatten(content, "", language)))


@lru_cache(maxsize=256)
def nearest(locale: str) -> tuple[Catalogue, Locale]:
    """The best catalogue for a BCP 47 `locale` and the locale to write its money and dates in.

    Subtags are dropped from the right (fr-CA, fr), then English is taken. Dates and money keep the customer's region
    only where the language is the catalogue's: a German text never carries a Japanese date.
    """
    subtags = locale.replace("_", "-").split("-")
    have = {language.lower(): language for language in languages()}
    for length in range(len(subtags), 0, -1):
        language = have.get("-".join(subtags[:length]).lower())
        if language:
            return load(language), _parse("-".join(subtags), language)
    return load(FALLBACK), Locale.parse(FALLBACK)


def _parse(wanted: str, language: str) -> Locale:
    try:
        return Locale.parse(wanted, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(language, sep="-")


def _flatten(node: Mapping[str, Any], prefix: str, language: str) -> list[tuple[str, Leaf]]:
    found: list[tuple[str, Leaf]] = []
    for name, value in node.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and "other" not in value:
            found += _flatten(value, f"{key}.", language)
        else:
            found.append((key, _leaf(value, key, language)))
    return found


def _leaf(value: object, key: str, language: str) -> Leaf:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and value and all(isinstance(text, str) for text in value):
        return tuple(value)
    if isinstance(value, dict) and value.keys() <= PLURAL_FORMS:
        return Plural({form: str(text) for form, text in value.items()})
    raise BrokenCatalogue(f"{language}: {key} is neither a text, a list of texts nor plural forms")
