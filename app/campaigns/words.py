"""Segments in plain English, for tables, timelines and the terminal. Says what a rule says and decides nothing."""

from collections.abc import Callable, Iterable
from typing import Any

from app.campaigns.segments import AmountRange, Range, Rule

DECLINES = {
    "network_never": "the network forbids another try",
    "hard": "the card is unusable",
    "authentication": "the bank wants approval",
    "customer_action": "the card's details are wrong",
    "fraud": "fraud is suspected",
    "soft_fast": "passing trouble",
    "soft_timed": "no money right now",
    "soft_opaque": "no reason given",
    "merchant_config": "a set-up problem at Stripe",
}
EVENTS = {
    "soft_decline_twice": "the second soft decline",
    "promise_broken": "a broken promise to pay",
    "mail_bounced": "a mail that came back",
}


def say(rule: Rule | None) -> str:
    """The rule as part of a sentence: "billed monthly, and in Germany or Austria"."""
    if rule is None:
        return "nobody by itself"
    return _SAID[rule_key(rule)](rule)


def rule_key(rule: Rule) -> str:
    """The one key of the rule."""
    return next(rule.said())[0]


def _listed(words: Iterable[str], joint: str = "or") -> str:
    found = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {joint} {found[-1]}"


def _group(joint: str, before: str = "") -> Callable[[Rule], str]:
    def said(rule: Rule) -> str:
        parts = [f"({say(part)})" if len(part.parts()) > 1 else say(part) for part in rule.parts()]
        if before and len(parts) == 1:
            return f"not {parts[0]}"
        return before + f" {joint} ".join(parts)

    return said


def _ends(ends: Range | AmountRange, unit: str = "") -> str:
    low, high = (None if end is None else f"{end:f}" if not isinstance(end, int) else f"{end}" for end in _both(ends))
    after = f" {unit}" if unit else ""
    if low is None:
        return f"at most {high}{after}"
    if high is None:
        return f"at least {low}{after}"
    return f"exactly {low}{after}" if low == high else f"{low} to {high}{after}"


def _both(ends: Range | AmountRange) -> tuple[Any, Any]:
    return ends.at_least, ends.at_most


def _money(of: str) -> Callable[[Rule], str]:
    def said(rule: Rule) -> str:
        by_currency = next(rule.said())[1]
        return f"{of} " + _listed(_ends(ends, currency.upper()) for currency, ends in by_currency.items())

    return said


def _metadata(rule: Rule) -> str:
    return _listed(
        (
            f"metadata {key} is {_listed(values)}" if values else f"metadata has {key}"
            for key, values in (rule.metadata or {}).items()
        ),
        "and",
    )


_SAID: dict[str, Callable[[Rule], str]] = {
    "plan": lambda rule: f"plan {_listed(rule.plan or ())}",
    "product": lambda rule: f"product {_listed(rule.product or ())}",
    "interval": lambda rule: f"billed by the {_listed(rule.interval or ())}",
    "amount": _money("an amount of"),
    "currency": lambda rule: f"in {_listed(code.upper() for code in rule.currency or ())}",
    "country": lambda rule: f"customer in {_listed(rule.country or ())}",
    "tenure_days": lambda rule: f"customer for {_ends(rule.tenure_days or Range(at_least=0), 'days')}",
    "decline_class": lambda rule: f"declined because {_listed(DECLINES[word] for word in rule.decline_class or ())}",
    "failures_last_year": lambda rule: (
        f"{_ends(rule.failures_last_year or Range(at_least=0))} earlier failures in the last year"
    ),
    "tag": lambda rule: f"tagged {_listed(rule.tag or ())}",
    "metadata": _metadata,
    "lifetime_value": _money("paid so far"),
    "all": _group("and"),
    "any": _group("or"),
    "none": _group("nor", "neither "),
}
