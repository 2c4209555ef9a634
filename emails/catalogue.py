"""The translated texts: one YAML file a language, looked up by dotted keys, with the nearest language as fallback.

A leaf is a text, a list of texts (the first one whose placeholders are all known is said, so that a missing fact
shortens a sentence instead of breaking it), or CLDR plural forms. Knows no mail and no facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml
from babel import Locale

from app.errors import RecoupError
from emails import placeholders
from emails.locales import FALLBACK, FOLDER, language_of, languages, writing

__all__ = ["FALLBACK", "BrokenCatalogue", "Catalogue", "Leaf", "Plural", "languages", "load", "nearest"]

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
        leaf = self._leaf(key)
        if isinstance(leaf, Plural):
            return leaf.forms[self._form(count)]
        return next((template for template in leaf if placeholders.names_in(template) <= known), None)

    def form(self, key: str, count: int | None) -> str | None:
        """The CLDR plural category that `count` has, where the text of `key` has forms. Raises BrokenCatalogue."""
        return self._form(count) if isinstance(self._leaf(key), Plural) else None

    def _leaf(self, key: str) -> Leaf:
        try:
            return self.leaves[key]
        except KeyError:
            raise BrokenCatalogue(f"{self.language}: no text for {key}") from None

    def _form(self, count: int | None) -> str:
        return Locale.parse(self.language, sep="-").plural_form(count or 0)


@lru_cache
def load(language: str) -> Catalogue:
    """The catalogue of exactly this language. Raises BrokenCatalogue."""
    content = yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return Catalogue(language, dict(_flatten(content, "", language)))


@lru_cache(maxsize=256)
def nearest(locale: str) -> tuple[Catalogue, Locale]:
    """The best catalogue for a BCP 47 `locale` and the locale to write its money and dates in; English where we do not
    speak it."""
    language = language_of(locale)
    return (load(language), writing(locale, language)) if language else (load(FALLBACK), Locale.parse(FALLBACK))


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
