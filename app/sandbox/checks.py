"""Reading what people ask of the sandbox: words that must mean something, and refusals that say what to do instead.

It knows vocabularies (currencies, countries, zones, languages, test cards, decline codes), not what is done with them.
"""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, ValidationError

from app.sandbox.cards import APPROVE, AUTHENTICATE, BY_TOKEN
from app.sandbox.currencies import CURRENCIES
from app.sandbox.declines import CODES, SIGNALS
from app.sandbox.errors import StripeRefusal, bad_param
from app.sandbox.issuers.parameters import segments

_NO_COUNTRY = frozenset("EU EZ QO UN XA XB ZZ".split())  # CLDR's codes for groups and for nothing
_COUNTRIES = frozenset(
    code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY
)


class Wish(BaseModel):
    """What was asked; a name that is not known is a mistake, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


AnyWish = TypeVar("AnyWish", bound=Wish)


def checked(kind: type[AnyWish], given: dict[str, Any]) -> AnyWish:
    """`given` as a `kind`; raises a 400 that names everything wrong with it."""
    try:
        return kind.model_validate(given)
    except ValidationError as problem:
        errors = problem.errors()
        sentences = [_sentence(kind, dict(error)) for error in errors]
        raise _refusal(".".join(str(part) for part in errors[0]["loc"]), "; ".join(sentences)) from None


def known_currency(code: str) -> str:
    """The currency in lower case; raises `ValueError`."""
    return _one_of(code.lower(), CURRENCIES, "a currency that Stripe charges in", "usd, eur, gbp or jpy")


def known_answer(entry: Any) -> Any:
    """One answer of an issuer's script: a decline code, `approve`, `requires_action`, or signals set by hand.

    Signals (a mapping) may carry a decline code that is not known here. Raises `ValueError`.
    """
    if isinstance(entry, dict):
        strange = sorted(entry.keys() - SIGNALS)
        if strange:
            raise ValueError(f"{strange[0]!r} is no signal of a decline; known are {', '.join(sorted(SIGNALS))}")
        return entry
    if not isinstance(entry, str):
        raise ValueError(f"{entry!r} is no answer of an issuer; give a decline code, or {APPROVE}")
    known = CODES | {APPROVE, AUTHENTICATE}
    return _one_of(entry, known, "a decline code", f"insufficient_funds, do_not_honor, lost_card, {AUTHENTICATE}")


def _known_country(code: str) -> str:
    return _one_of(code.upper(), _COUNTRIES, "an ISO 3166 country code", "US, DE or JP")


def _known_zone(name: str) -> str:
    return _one_of(name, available_timezones(), "an IANA time zone", "Europe/Berlin or America/New_York")


def _known_locale(tag: str) -> str:
    try:
        Locale.parse(tag.replace("_", "-"), sep="-")
    except (UnknownLocaleError, ValueError):
        raise ValueError(f"{tag!r} is no language tag; give one such as en, de-DE or ja") from None
    return tag


def _known_card(token: str) -> str:
    return _one_of(token, BY_TOKEN, "a test card", "pm_card_visa, pm_card_mastercard or pm_card_amex")


def _known_behaviour(name: str) -> str:
    return _one_of(name, segments(), "a segment of payers", ", ".join(segments()))


Behaviour = Annotated[str, AfterValidator(_known_behaviour)]
Currency = Annotated[str, AfterValidator(known_currency)]
Country = Annotated[str, AfterValidator(_known_country)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Language = Annotated[str, AfterValidator(_known_locale)]
Card = Annotated[str, AfterValidator(_known_card)]
Answer = Annotated[str | dict[str, Any], PlainValidator(known_answer)]


def _one_of(word: str, known: Collection[str], what: str, such_as: str) -> str:
    if word in known:
        return word
    near = _nearest(word, known)
    raise ValueError(f"{word!r} is not {what}; " + (f"did you mean {near}?" if near else f"give one such as {such_as}"))


def _nearest(word: str, known: Collection[str]) -> str:
    by_lower = {entry.lower(): entry for entry in known}
    return " or ".join(by_lower[entry] for entry in get_close_matches(word.lower(), by_lower, n=2, cutoff=0.7))


def _sentence(kind: type[Wish], error: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"{name} is missing"
    if error["type"] == "extra_forbidden":
        return f"{name!r} is not known here; known are {', '.join(kind.model_fields)}"
    if error["type"] == "value_error":
        return f"{name}: {error['ctx']['error']}" if name else str(error["ctx"]["error"])
    return f"{name}: {error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r}"


def _refusal(param: str, message: str) -> StripeRefusal:
    return bad_param(param, message, "parameter_unknown" if "not known here" in message else "parameter_invalid")
