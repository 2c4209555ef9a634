"""The variants of a kind of mail: which have texts of their own, renamed and removed with all of them.

A variant is nothing but a name that a campaign's step gives to the lot, and texts kept under it. Which steps name it is
known further up.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from app.errors import RecoupError
from app.messages.wording import Author, all_texts, change, home_of, kinds_saying
from emails.wording import split_key, variant_key

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")

TextsByLanguage = Mapping[str, Mapping[str, str]]


class VariantRefused(RecoupError):
    """A name that no variant can have, or that another one has; the text says what to choose."""


def check_name(name: str) -> str:
    """`name` as a variant's name. Raises `VariantRefused`."""
    if not NAME.fullmatch(name):
        raise VariantRefused(
            "A variant's name has small letters, digits, - and _, and 32 of them at most, as in day3-b."
        )
    return name


def texts_of_variant(texts: TextsByLanguage, kind: str, variant: str) -> dict[str, dict[str, str]]:
    """The variant's own texts for mails of this kind, by language and key.

    A text that other kinds say, too (a button, a greeting), is among them unless another kind has such a variant.
    """
    homes = {home_of(key) for own in texts.values() for key in own if _variant(key) == variant} - {None}
    found = {
        language: {key: text for key, text in own.items() if _variant(key) == variant and _is_of(key, kind, homes)}
        for language, own in texts.items()
    }
    return {language: own for language, own in found.items() if own}


def names_in(texts: TextsByLanguage, kind: str) -> list[str]:
    """The variants that have a text of their own for this kind of mail."""
    names = {name for own in texts.values() for key in own if (name := _variant(key))}
    return sorted(name for name in names if texts_of_variant(texts, kind, name))


def remove(session: Session, kind: str, variant: str, by: Author, now: datetime) -> int:
    """Take all texts of a variant away; how many there were."""
    own = texts_of_variant(all_texts(session), kind, variant)
    return change(session, {language: dict.fromkeys(texts) for language, texts in own.items()}, by, now, "variant")


def rename(session: Session, kind: str, variant: str, name: str, by: Author, now: datetime) -> int:
    """Keep all texts of a variant under another name; how many there are. Raises `VariantRefused`."""
    texts = all_texts(session)
    if texts_of_variant(texts, kind, check_name(name)):
        raise VariantRefused(f"There is a variant {name} already; choose another name.")
    own = texts_of_variant(texts, kind, variant)
    wanted = {language: _moved(mine, name) for language, mine in own.items()}
    change(session, wanted, by, now, "variant")
    return sum(len(mine) for mine in own.values())


def _moved(own: Mapping[str, str], name: str) -> dict[str, str | None]:
    moved: dict[str, str | None] = dict.fromkeys(own)
    for key, text in own.items():
        moved[variant_key((split_key(key) or (key, None))[0], name)] = text
    return moved


def _variant(key: str) -> str | None:
    return (split_key(key) or (key, None))[1]


def _is_of(key: str, kind: str, homes: set[str | None]) -> bool:
    home = home_of(key)
    return home == kind or (home is None and kind in kinds_saying(key) and homes <= {kind})
