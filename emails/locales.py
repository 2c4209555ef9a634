"""Which of the customer's languages a mail is written in. Knows the languages there are, and no text.

A language is taken in another region's or country's form where its readers share the writing: every Portuguese is
answered in pt-BR, every Chinese in simplified characters in zh-Hans. Who reads traditional characters gets zh-Hans only
where no other language of theirs is at hand: it is closer to them than English, but not theirs.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError

FOLDER = Path(__file__).parent / "translations"
FALLBACK = "en"
_TRADITIONAL = ("hant", "tw", "hk", "mo")
_STANDS_IN = {"pt": "pt-BR", "zh": "zh-Hans"}


@lru_cache
def languages() -> tuple[str, ...]:
    """The languages there are catalogues for, as BCP 47."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def choose(preferred: Sequence[str], default: str) -> str:
    """The BCP 47 locale to write in: of the `preferred` ones in their order the first that we speak, then the first
    that we speak nearly (traditional Chinese), then `default`. Not a locale at all counts as not spoken."""
    wanted = [locale for locale in preferred if isinstance(locale, str) and locale]
    exact = [locale for locale in wanted if language_of(locale) and not _is_traditional(locale)]
    near = [locale for locale in wanted if language_of(locale)]
    return next(iter([*exact, *near]), default)


def language_for(locale: str) -> str:
    """The catalogue that a mail in this locale is written from; English where we do not speak it."""
    return language_of(locale) or FALLBACK


@lru_cache(maxsize=256)
def language_of(locale: str) -> str | None:
    """The catalogue for a BCP 47 or POSIX `locale`: subtags are dropped from the right (fr-CA, fr), then a form of the
    same language stands in. None where we do not speak it."""
    subtags = locale.replace("_", "-").split("-")
    have = {language.lower(): language for language in languages()}
    for length in range(len(subtags), 0, -1):
        language = have.get("-".join(subtags[:length]).lower())
        if language:
            return language
    return have.get(_STANDS_IN.get(subtags[0].lower(), "").lower())


def writing(locale: str, language: str) -> Locale:
    """The locale to write dates and money in: the customer's region where the language is the catalogue's, so that a
    German text never carries a Japanese date, and the catalogue's own where it is another form or nothing known."""
    wanted = locale.replace("_", "-")
    if _is_traditional(wanted):
        return Locale.parse(language, sep="-")
    try:
        found = Locale.parse(wanted, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(language, sep="-")
    return found if found.language == Locale.parse(language, sep="-").language else Locale.parse(language, sep="-")


def _is_traditional(locale: str) -> bool:
    subtags = locale.replace("_", "-").lower().split("-")
    return subtags[0] == "zh" and "hans" not in subtags and any(tag in _TRADITIONAL for tag in subtags[1:])
