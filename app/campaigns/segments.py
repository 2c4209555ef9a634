"""Who a campaign is for: rules of "all of", "any of" and "none of", about a subscription, its customer and its failure.

A rule says one thing, by one key. Amounts are in major units, as people write them, and always by currency. Refuses to
know where the facts come from; what is not known yet (the decline, before a payment failed) is neither yes nor no.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from babel import Locale
from pydantic import BeforeValidator, Field, field_validator, model_serializer, model_validator

from app.campaigns.strict import Strict, as_list
from app.money import exponent

DEEPEST, MOST_RULES = 4, 60

Interval = Literal["day", "week", "month", "year"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)
DeclineClass = Literal[
    "network_never",
    "hard",
    "authentication",
    "customer_action",
    "fraud",
    "soft_fast",
    "soft_timed",
    "soft_opaque",
    "merchant_config",
]
DECLINE_CLASSES: tuple[DeclineClass, ...] = get_args(DeclineClass)
GROUPS = ("all", "any", "none")

_ENGLISH = Locale("en")
_Words = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], BeforeValidator(as_list)]


def _codes(given: Any, known: Any, length: int, example: str, *, is_upper: bool) -> tuple[str, ...]:
    words = as_list(given)
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise ValueError(f"give a list of codes, as in {example}")
    codes = tuple(word.strip().upper() for word in words)
    for code in codes:
        if len(code) != length or not code.isascii() or code not in known:
            raise ValueError(f"{code or 'an empty word'} is not a code that is known; write it as in {example}")
    return codes if is_upper else tuple(code.lower() for code in codes)


class Range(Strict):
    """From `at_least` to `at_most`, both included; either may be left out, not both."""

    at_least: int | None = Field(None, ge=0)
    at_most: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _is_a_range(self) -> "Range":
        _check_ends(self.at_least, self.at_most)
        return self


class AmountRange(Strict):
    """The same for amounts of money, in major units of the currency that the range stands under."""

    at_least: Decimal | None = Field(None, ge=0, le=10**10)
    at_most: Decimal | None = Field(None, ge=0, le=10**10)

    @model_validator(mode="after")
    def _is_a_range(self) -> "AmountRange":
        _check_ends(self.at_least, self.at_most)
        return self

    def minor(self, currency: str) -> tuple[int | None, int | None]:
        """Both ends in minor units of `currency`."""
        scale = exponent(currency)
        low, high = (None if end is None else int(end.scaleb(scale)) for end in (self.at_least, self.at_most))
        return low, high


def _check_ends(low: Any, high: Any) -> None:
    if low is None and high is None:
        raise ValueError("say at_least, at_most or both")
    if low is not None and high is not None and low > high:
        raise ValueError(f"at_least ({low}) is above at_most ({high}), so nobody would be in it; exchange them")


class Rule(Strict):
    """One thing that must be so. A list of words means: one of these.

    `plan` is a plan's name or a price's id, `product` a product's id. `country`, `tenure_days`, `tag`, `metadata` and
    `lifetime_value` (paid so far) are the customer's. `failures_last_year` counts failed payments before this one.
    `metadata` names Stripe's keys and the values that count; with no value, the key must only be there.
    """

    plan: _Words | None = None
    product: _Words | None = None
    interval: Annotated[tuple[Interval, ...], BeforeValidator(as_list)] | None = None
    amount: dict[str, AmountRange] | None = None
    currency: tuple[str, ...] | None = None
    country: tuple[str, ...] | None = None
    tenure_days: Range | None = None
    decline_class: Annotated[tuple[DeclineClass, ...], BeforeValidator(as_list)] | None = None
    failures_last_year: Range | None = None
    tag: _Words | None = None
    metadata: dict[str, _Words] | None = None
    lifetime_value: dict[str, AmountRange] | None = None
    all: tuple["Rule", ...] | None = None
    any: tuple["Rule", ...] | None = None
    none: tuple["Rule", ...] | None = None

    @field_validator("currency", mode="before")
    @classmethod
    def _currencies(cls, given: Any) -> Any:
        return given if given is None else _codes(given, _ENGLISH.currencies, 3, "[usd, eur]", is_upper=False)

    @field_validator("country", mode="before")
    @classmethod
    def _countries(cls, given: Any) -> Any:
        return given if given is None else _codes(given, _ENGLISH.territories, 2, "[DE, US]", is_upper=True)

    @field_validator("amount", "lifetime_value", mode="after")
    @classmethod
    def _by_currency(cls, given: dict[str, AmountRange] | None) -> dict[str, AmountRange] | None:
        return given if given is None else {_currency_of(code, ends): ends for code, ends in given.items()}

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Rule":
        keys = list(self.said())
        if len(keys) != 1:
            found = " and ".join(key for key, _ in keys) or "nothing"
            raise ValueError(
                f"a rule says one thing by one key, this one says {found};"
                " put several under `all:` or `any:`, each with a dash of its own"
            )
        key, value = keys[0]
        if not value:
            raise ValueError(f"{key} is empty; name at least one, or take the rule out")
        return self

    @model_serializer(mode="wrap")
    def _short(self, handler: Any) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}

    def said(self) -> Iterator[tuple[str, Any]]:
        """The one key that is set, with its value."""
        for key in type(self).model_fields:
            value = getattr(self, key)
            if value is not None:
                yield key, value

    def parts(self) -> tuple["Rule", ...]:
        """The rules inside a group; none of a rule that is no group."""
        return self.all or self.any or self.none or ()


def check_size(rule: Rule) -> Rule:
    """The rule itself; raises `ValueError` where nobody could read it any more."""
    if _depth(rule) > DEEPEST:
        raise ValueError(f"groups lie more than {DEEPEST} deep; make the outer ones into campaigns of their own")
    if sum(1 for _ in walk(rule)) > MOST_RULES:
        raise ValueError(f"more than {MOST_RULES} rules; list several words in one, as in country: [DE, AT]")
    return rule


def walk(rule: Rule) -> Iterator[Rule]:
    """The rule and everything in it."""
    yield rule
    for part in rule.parts():
        yield from walk(part)


def intervals_named(segment: Rule | None) -> tuple[str, ...]:
    """The billing intervals that a segment asks for by name outside of `none`; empty where it does not ask."""
    if segment is None:
        return ()
    if segment.interval:
        return segment.interval
    found = [intervals_named(part) for part in (segment.all or segment.any or ())]
    return tuple(dict.fromkeys(interval for named in found for interval in named))


def _depth(rule: Rule) -> int:
    return 1 + max((_depth(part) for part in rule.parts()), default=0)


def _currency_of(code: str, ends: AmountRange) -> str:
    currency = _codes(code, _ENGLISH.currencies, 3, "amount: {usd: {at_least: 50}}", is_upper=False)[0]
    digits = exponent(currency)
    for end in (ends.at_least, ends.at_most):
        if end is not None and end != round(end, digits):
            raise ValueError(f"{end} {currency.upper()} has more than {digits} digits after the point")
    return currency
