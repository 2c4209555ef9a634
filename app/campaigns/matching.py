"""Whether a rule is true of a subscription, its customer and its failure: yes, no, or not to be known yet.

Not to be known is what depends on a failure that has not happened: the decline. Everything else that is missing is a
no: nobody is in a segment by country whose country is not known.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.campaigns.segments import AmountRange, Range, Rule
from app.money import Money


@dataclass(frozen=True)
class SegmentFacts:
    """What rules may ask about one subscription and its customer.

    `amount` is the invoice's, or what a renewal would come to. `tenure_days` are whole days as a customer.
    `failures_last_year` leaves the present failure out. `lifetime_value` is what was paid so far, in minor units by
    currency. `decline_class` is None before a payment was declined.
    """

    plan: str | None = None
    price_id: str | None = None
    product_id: str | None = None
    interval: str | None = None
    amount: Money | None = None
    country: str | None = None
    tenure_days: int | None = None
    decline_class: str | None = None
    failures_last_year: int = 0
    tags: frozenset[str] = frozenset()
    metadata: Mapping[str, str] = field(default_factory=dict)
    lifetime_value: Mapping[str, int] = field(default_factory=dict)


def matches(rule: Rule, facts: SegmentFacts) -> bool | None:
    """Whether the rule is true; None where that depends on a decline which is not there yet."""
    key, value = next(rule.said())
    return _ASKED[key](value, facts)


def _every(rules: tuple[Rule, ...], facts: SegmentFacts) -> bool | None:
    answers = [matches(rule, facts) for rule in rules]
    if False in answers:
        return False
    return None if None in answers else True


def _some(rules: tuple[Rule, ...], facts: SegmentFacts) -> bool | None:
    answers = [matches(rule, facts) for rule in rules]
    if True in answers:
        return True
    return None if None in answers else False


def _no_one(rules: tuple[Rule, ...], facts: SegmentFacts) -> bool | None:
    answer = _some(rules, facts)
    return None if answer is None else not answer


def _decline(classes: tuple[str, ...], facts: SegmentFacts) -> bool | None:
    return None if facts.decline_class is None else facts.decline_class in classes


def _plan(names: tuple[str, ...], facts: SegmentFacts) -> bool:
    wanted = {name.casefold() for name in names}
    return any(known is not None and known.casefold() in wanted for known in (facts.plan, facts.price_id))


def _tag(tags: tuple[str, ...], facts: SegmentFacts) -> bool:
    wanted = {tag.casefold() for tag in tags}
    return any(tag.casefold() in wanted for tag in facts.tags)


def _metadata(wanted: dict[str, tuple[str, ...]], facts: SegmentFacts) -> bool:
    """Of several keys every one must fit."""
    return all(
        key in facts.metadata and (not values or str(facts.metadata[key]) in values) for key, values in wanted.items()
    )


def _amount(by_currency: dict[str, AmountRange], facts: SegmentFacts) -> bool:
    amount = facts.amount
    return (
        amount is not None
        and amount.currency in by_currency
        and _lies_within(amount.minor, *by_currency[amount.currency].minor(amount.currency))
    )


def _lifetime_value(by_currency: dict[str, AmountRange], facts: SegmentFacts) -> bool:
    """Of several currencies one is enough: a customer pays in theirs. Who has paid nothing in it is at zero."""
    return any(
        _lies_within(facts.lifetime_value.get(currency, 0), *ends.minor(currency))
        for currency, ends in by_currency.items()
        if currency in facts.lifetime_value or (facts.amount is not None and facts.amount.currency == currency)
    )


def _within(ends: Range, value: int | None) -> bool:
    return value is not None and _lies_within(value, ends.at_least, ends.at_most)


def _lies_within(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


_ASKED: dict[str, Callable[[Any, SegmentFacts], bool | None]] = {
    "plan": _plan,
    "product": lambda ids, facts: facts.product_id in ids,
    "interval": lambda words, facts: facts.interval in words,
    "amount": _amount,
    "currency": lambda codes, facts: facts.amount is not None and facts.amount.currency in codes,
    "country": lambda codes, facts: (facts.country or "").upper() in codes,
    "tenure_days": lambda ends, facts: _within(ends, facts.tenure_days),
    "decline_class": _decline,
    "failures_last_year": lambda ends, facts: _within(ends, facts.failures_last_year),
    "tag": _tag,
    "metadata": _metadata,
    "lifetime_value": _lifetime_value,
    "all": _every,
    "any": _some,
    "none": _no_one,
}
