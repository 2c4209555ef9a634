"""The operator's own texts in place of ours: found by key and variant, and refused where they would break a mail.

A text is keyed like the catalogue's (`reminder.subject`), one of a variant with the variant's name behind the first
part (`reminder@b.subject`), a plural form with its CLDR name at the end (`several.few`). A refused text is never said,
ours is. Refuses to know where the texts are kept and who wrote them.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from app.errors import RecoupError
from emails import placeholders
from emails.catalogue import Plural, load

NOTHING: Mapping[str, str] = MappingProxyType({})

# What holds other texts together is no text of its own.
_PLUMBING = frozenset({"pair", "named_invoice"})
_ALWAYS = frozenset({"merchant", "product"})
_COMMON = _ALWAYS | {"name", "support", "help_page", "amount", "number"}
_INVOICE = _COMMON | {"due_date"}
_MAY_USE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "payment_failed": _COMMON | {"retry_date", "card", "access_date"},
        "action_required": _COMMON | {"card", "access_date"},
        "reminder": _COMMON | {"retry_date", "final_date", "period_end", "plan", "card", "access_date"},
        "fresh_link": _COMMON,
        "final_notice": _COMMON
        | {"retry_date", "final_date", "final_time", "period_end", "plan", "card", "access_date"},
        "recovered": _COMMON | {"paid_date", "card"},
        "subscription_changed": _COMMON | {"final_date", "period_end", "plan", "access_date", "paid_date", "card"},
        "choice_confirmed": _COMMON | {"final_date", "period_end", "resume_date", "plan"},
        "card_expiring": _COMMON | {"card", "card_expiry", "charge_date"},
        "promise_confirmed": _COMMON | {"promise_date", "card", "access_date"},
        "promise_broken": _COMMON | {"promise_date", "retry_date", "final_date", "period_end", "plan", "card"},
        "invoice_due_soon": _INVOICE,
        "invoice_due": _INVOICE,
        "invoice_overdue": _INVOICE,
    }
)
# Who changes a text may say it otherwise, but not leave out what the reader has to know. Short lines may.
_MUST_STAY = frozenset(
    "amount final_date period_end resume_date access_date promise_date due_date charge_date plan support count".split()
)
_SHORT = frozenset({"subject", "preheader", "heading"})
_LONGEST = {"note": 300, "subject": 120, "preheader": 200, "heading": 90, "button": 48, "panel": 60}
_LONGEST_TEXT = 700
_VARIANT = re.compile(r"([a-z_]+)(?:@([a-z0-9][a-z0-9_-]{0,31}))?((?:\..+)?)")
_MARKUP = re.compile(r"</?[a-zA-Z!]|&(?:[a-zA-Z]+|#\w+);")
_PLACEHOLDER = re.compile(r"\{\w*\}")
_LINK = re.compile(r"https?://|www\.|\]\(", re.IGNORECASE)
_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Co", "Cs"}
# Persian, Arabic and emoji need joiners, and right-to-left texts a mark here and there.
_HARMLESS = "\u200c\u200d\u200e\u200f"


class BrokenWording(RecoupError):
    """A text of the operator's that cannot be said in a mail; the message says everything that is wrong with it."""


@dataclass
class OwnTexts:
    """The operator's texts for one mail. `left_out` collects the keys of those that were refused."""

    texts: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    variant: str | None = None
    left_out: list[str] = field(default_factory=list)

    def find(self, language: str, key: str, form: str | None, known: frozenset[str]) -> str | None:
        """The text for `key` (in the plural `form`, where it has forms): the variant's, else the common one, else None.

        None as well where a fact is missing that the text names: ours has shorter sentences for that.
        """
        full = f"{key}.{form}" if form else key
        for name in filter(None, (self._of_variant(full), full)):
            text = self.texts.get(name)
            if text is None:
                continue
            if problems(language, name, text):
                self.left_out.append(name)
            elif placeholders.names_in(text) <= known:
                return text
        return None

    def _of_variant(self, key: str) -> str | None:
        return variant_key(key, self.variant) if self.variant else None


def variant_key(key: str, variant: str) -> str:
    """The key of a variant's own text: `reminder.subject` and `b` give `reminder@b.subject`."""
    first, dot, rest = key.partition(".")
    return f"{first}@{variant}{dot}{rest}"


def split_key(key: str) -> tuple[str, str | None] | None:
    """The catalogue's key and the variant's name in `key`: `reminder@b.subject` gives `reminder.subject` and `b`.

    None for what is no key by its form.
    """
    found = _VARIANT.fullmatch(key)
    return (f"{found[1]}{found[3]}", found[2]) if found else None


def check(language: str, key: str, text: str) -> None:
    """Refuse a text that must not be saved. Raises BrokenWording with all that is wrong and what to do about it."""
    found = problems(language, key, text)
    if found:
        raise BrokenWording(" ".join(found))


@lru_cache(maxsize=4096)
def problems(language: str, key: str, text: str) -> tuple[str, ...]:
    """Everything that is wrong with `text` as the text of `key`, in sentences for the one who wrote it."""
    ours = _ours(language, key)
    if ours is None:
        return (f"There is no text called {key}; take one of the keys in the list of texts.",)
    plain_key = _without_variant(key) or key
    return (*_shape(plain_key, text), *_names(plain_key, text, ours))


def allowed(language: str, key: str) -> frozenset[str]:
    """The placeholders that the text of `key` may use. None for a key that does not exist."""
    ours = _ours(language, key)
    return _may(_without_variant(key) or key, ours) if ours else frozenset()


def required(language: str, key: str) -> frozenset[str]:
    """The placeholders that the text of `key` must keep, because a reader has to know what they stand for."""
    ours = _ours(language, key)
    return _must(_without_variant(key) or key, ours) if ours else frozenset()


def editable(language: str) -> tuple[str, ...]:
    """Every key that an operator may give a text of their own, in the order of the catalogue."""
    found: list[str] = []
    for key, leaf in load(language).leaves.items():
        if key not in _PLUMBING:
            found += [f"{key}.{form}" for form in leaf.forms] if isinstance(leaf, Plural) else [key]
    return tuple(found)


def ours(language: str, key: str) -> tuple[str, ...]:
    """Our own texts for `key`, the fullest first. Raises BrokenWording for a key that does not exist."""
    found = _ours(language, key)
    if found is None:
        raise BrokenWording(f"There is no text called {key}.")
    return found


def _ours(language: str, key: str) -> tuple[str, ...] | None:
    plain_key = _without_variant(key)
    leaves = load(language).leaves
    if plain_key is None or plain_key in _PLUMBING:
        return None
    leaf = leaves.get(plain_key)
    if isinstance(leaf, tuple):
        return leaf
    stem, _, form = plain_key.rpartition(".")
    plural = leaves.get(stem)
    return (plural.forms[form],) if isinstance(plural, Plural) and form in plural.forms else None


def _without_variant(key: str) -> str | None:
    found = split_key(key)
    return found[0] if found else None


def _shape(key: str, text: str) -> list[str]:
    found = []
    longest = next((limit for part, limit in _LONGEST.items() if part in key.split(".")), _LONGEST_TEXT)
    if not text.strip():
        found.append("The text is empty; remove it to have ours again.")
    if len(text) > longest:
        found.append(f"The text has {len(text)} characters; {longest} are the most that fit here.")
    if _MARKUP.search(text):
        found.append("HTML would be shown as it stands; write plain words, and **two stars** around what is strong.")
    if _LINK.search(text):
        found.append("A link in the text would compete with the button; the button and your website are in every mail.")
    if text.strip() and not any(sign.isalpha() for sign in _PLACEHOLDER.sub("", text)):
        found.append("A placeholder alone says nothing; write words around it.")
    if text.count("**") % 2:
        found.append("A pair of ** is not closed.")
    if any(unicodedata.category(sign) in _HIDDEN and sign not in _HARMLESS for sign in text):
        found.append("The text must be one line without control characters; remove line breaks and tabs.")
    return found


def _names(key: str, text: str, ours: tuple[str, ...]) -> list[str]:
    try:
        used = placeholders.names_in(text)
    except placeholders.BrokenPlaceholder as problem:
        return [f"{str(problem)[0].upper()}{str(problem)[1:]}."]
    may, must = _may(key, ours), _must(key, ours)
    found = []
    if used - may:
        listed, known = _listed(used - may), _listed(may)
        found.append(f"Nothing here is called {listed}; this text may use {known}.")
    if must - used:
        found.append(f"The text must say {_listed(must - used)}: the reader has to know it.")
    return found


def _may(key: str, ours: tuple[str, ...]) -> frozenset[str]:
    asked = {name for text in ours for name in placeholders.names_in(text)}
    return _MAY_USE.get(key.partition(".")[0], _ALWAYS | asked)


def _must(key: str, ours: tuple[str, ...]) -> frozenset[str]:
    return frozenset() if _SHORT.intersection(key.split(".")) else placeholders.names_in(ours[0]) & _MUST_STAY


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))
