"""What is believed before a case begins: the shipped tables, moved by the cases an account has seen.

Weights come in three independent parts: why payments fail (by decline group), how purses empty (by funding), when
people are paid (by country and funding). Counts of an account are added to so many imagined cases of the prior, so
that a few cases move little and many move everything. Refuses to know how counts are made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from json import dumps, loads
from math import log

import numpy as np
from numpy.typing import NDArray

from app.errors import RecoupError
from app.money import exponent
from app.retries.facts import Card, CaseFacts
from app.retries.hypotheses import ADVISED, ALL, CAUSES, GROUPS, PAID, PURSES
from app.retries.moments import region_of
from app.retries.paydays import CALENDARS, POSTINGS
from app.retries.prior import PRIOR_VERSION, read_table

Weights = NDArray[np.float64]
Counts = Mapping[str, Mapping[str, float]]

CAUSE_CASES, PURSE_CASES, PAYDAY_CASES = 40.0, 80.0, 8.0  # banks and purses differ little, pay customs much
FUNDING_CASES = 30.0
POSTING_CASES = 8.0  # a country posts in the morning or it does not: few cases tell
PRIOR_POSTINGS = np.array([0.92, 0.08])
CUSTOMER_CASES = 3.0
FOREIGN = 0.20
STATEMENT_SHARE = 0.5  # a credit line is freed when its statement is paid, on a date that nobody shares
STATEMENT_DAYS = frozenset(f"monthly-{day}" for day in (*range(1, 29), "last"))
ADVICE_TRUSTED = 0.5
AMOUNT_TILT, USUAL_DOLLARS = 0.12, 30.0
SAME_CODE = 0.25  # how much of a changed code is chance


class UnreadableCounts(RecoupError):
    """Counts to import are not in the form that export writes."""


@dataclass(frozen=True)
class Knowledge:
    """Counts by cell, of causes (`no_funds`), purses (`debit`) and paydays (`US|debit`), and a calibration by group.

    `counts` are three mappings of cell to name to (forgetting) number of cases; `calibration` maps a group to the
    offset and slope of its logit. Empty counts mean the shipped prior. No personal data is in here.
    """

    causes: Counts = field(default_factory=dict)
    purses: Counts = field(default_factory=dict)
    paydays: Counts = field(default_factory=dict)
    postings: Counts = field(default_factory=dict)
    calibration: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    cases: int = 0

    def to_json(self) -> str:
        """All of it, in a form that is the same for the same knowledge; for keeping, export and import."""
        calibration = {group: list(pair) for group, pair in self.calibration.items()}
        content = {"prior": PRIOR_VERSION, "cases": self.cases, "causes": self.causes, "purses": self.purses,
                   "paydays": self.paydays, "postings": self.postings, "calibration": calibration}  # fmt: skip
        return dumps(content, sort_keys=True)

    def __hash__(self) -> int:
        return hash(self.version)

    @cached_property
    def version(self) -> str:
        """A short name that changes with any part of it, the shipped prior included."""
        return f"{PRIOR_VERSION}-{sha256(self.to_json().encode()).hexdigest()[:12]}"


def read_knowledge(text: str) -> Knowledge:
    """Knowledge from what `to_json` wrote. Raises UnreadableCounts."""
    try:
        content = loads(text)
        calibration = {group: (float(a), float(b)) for group, (a, b) in content["calibration"].items()}
        parts = {name: _read_counts(content.get(name, {}) if name == "postings" else content[name], names)
                 for name, names in COUNTED.items()}  # fmt: skip
        return Knowledge(**parts, calibration=calibration, cases=int(content["cases"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableCounts(f"these are no exported counts: {error!r}; export them anew") from error


def _read_counts(cells: Counts, names: tuple[str, ...]) -> Counts:
    read = {cell: {name: float(count) for name, count in counts.items()} for cell, counts in cells.items()}
    wrong = [name for counts in read.values() for name, count in counts.items()
             if name not in names or not 0 <= count < float("inf")]  # fmt: skip
    if wrong:
        raise ValueError(f"unknown or negative: {wrong[0]}")
    return read


COUNTED = {"causes": CAUSES, "purses": PURSES, "paydays": CALENDARS, "postings": POSTINGS}
SHIPPED = Knowledge()


@lru_cache(maxsize=8)
def prior_causes(group: str) -> Weights:
    """Shares of CAUSES among failures whose decline belongs to `group`, as shipped."""
    row = next(row for row in read_table("causes") if row["signal"] == group)
    return _shares(np.array([float(row[cause]) for cause in CAUSES]))


@lru_cache(maxsize=8)
def prior_purses(funding: str) -> Weights:
    """Shares of PURSES for cards of `funding`, as shipped; unknown funding counts as debit."""
    rows = {row["funding"]: row for row in read_table("purses")}
    row = rows.get(funding, rows["debit"])
    return _shares(np.array([float(row[purse]) for purse in PURSES]))


@lru_cache(maxsize=64)
def prior_paydays(region: str, funding: str) -> Weights:
    """Shares of CALENDARS for a region and funding, as shipped: customs at home, and a little of everywhere."""
    rows = read_table("paydays")
    regions = len({row["region"] for row in rows})
    home, anywhere = np.zeros(len(CALENDARS)), np.full(len(CALENDARS), 0.012)
    for row in rows:
        place, weight = CALENDARS.index(row["calendar"]), float(row["weight"])
        anywhere[place] += weight / regions
        home[place] += weight if row["region"] == region else 0
    customs = (1 - FOREIGN) * _shares(home) + FOREIGN * _shares(anywhere)
    if funding != "credit":
        return customs
    return (1 - STATEMENT_SHARE) * customs + STATEMENT_SHARE * _shares(
        np.array([float(n in STATEMENT_DAYS) for n in CALENDARS])
    )


def _shares(weights: Weights) -> Weights:
    return np.asarray(weights / weights.sum())


def cell_of(card: Card | None) -> str:
    """The name of the payday cell of a card: `US|debit`."""
    return f"{country_of(card)}|{funding_of(card)}"


def country_of(card: Card | None) -> str:
    """The country of a card in capitals, `?` where it is not known."""
    return ((card.country if card else None) or "?").upper()


def funding_of(card: Card | None) -> str:
    """Debit, credit or prepaid; an unknown funding counts as debit."""
    return (card.funding if card else None) or "debit"


def initial_weights(facts: CaseFacts, group: int, knowledge: Knowledge) -> Weights:
    """The weight of every hypothesis for a case whose first decline belongs to `group`, before any failure's timing."""
    name, card = GROUPS[group], facts.card
    causes = _moved(prior_causes(name), knowledge.causes.get(name), CAUSES, CAUSE_CASES)
    purses = _moved(prior_purses(funding_of(card)), knowledge.purses.get(funding_of(card)), PURSES, PURSE_CASES)
    paydays = _paydays(card, knowledge)
    if facts.known_paydays:
        paydays = _moved(paydays, dict(facts.known_paydays), CALENDARS, CUSTOMER_CASES)
    postings = _moved(PRIOR_POSTINGS, knowledge.postings.get(country_of(card)), POSTINGS, POSTING_CASES)
    return _spread_out(causes, _tilted(purses, amount_size(facts)), paydays, postings)


def _paydays(card: Card | None, knowledge: Knowledge) -> Weights:
    """From what is shipped to what all cards of the country showed, and on to those of this funding."""
    shipped = prior_paydays(region_of(card.country if card else None), funding_of(card))
    cell, country = cell_of(card), country_of(card)
    of_country: dict[str, float] = {}
    for name, counts in knowledge.paydays.items():
        if name.partition("|")[0] == country:
            for calendar, count in counts.items():
                of_country[calendar] = of_country.get(calendar, 0.0) + count
    national = _moved(shipped, of_country, CALENDARS, PAYDAY_CASES)
    return _moved(national, knowledge.paydays.get(cell), CALENDARS, FUNDING_CASES)


def _moved(prior: Weights, counts: Mapping[str, float] | None, names: tuple[str, ...], cases: float) -> Weights:
    if not counts:
        return prior
    seen = np.array([counts.get(name, 0.0) for name in names])
    return np.asarray((cases * prior + seen) / (cases + seen.sum()))


def amount_size(facts: CaseFacts) -> float:
    """How large the amount is, as a logarithm rounded to halves; 0 is an ordinary subscription."""
    rate = CURRENCIES.get(facts.currency.lower())
    if not rate or facts.amount_minor <= 0:
        return 0.0
    dollars = facts.amount_minor / 10 ** exponent(facts.currency) / rate
    return round(2 * min(max(log(dollars / USUAL_DOLLARS), -2.0), 2.0)) / 2


def _tilted(purses: Weights, size: float) -> Weights:
    """A large amount needs a fuller purse: pay lasts a shorter time for it."""
    return _shares(purses * np.exp(-AMOUNT_TILT * size * FULLNESS))


CURRENCIES = {row["currency"]: float(row["per_dollar"]) for row in read_table("currencies")}
FULLNESS = np.array([PAID.index(purse) + 1.0 if purse in PAID else 2.0 for purse in PURSES]) - 3


def _spread_out(causes: Weights, purses: Weights, paydays: Weights, postings: Weights) -> Weights:
    first_paid = len(PURSES) - len(PAID)
    weights = np.empty(len(ALL))
    weights[: ALL.paid] = np.outer(paydays, np.outer(postings, causes[0] * purses[first_paid:])).ravel()
    weights[ALL.paid : ADVISED] = causes[0] * purses[:first_paid]
    weights[ADVISED] = 0.0
    weights[ADVISED + 1 :] = causes[1:]
    return weights


@lru_cache(maxsize=1)
def changed_code_table() -> Weights:
    """For each hypothesis (row) how well each group (column) fits as the next decline's, when the code changes."""
    shares = np.array([float(row["share"]) for row in read_table("causes")])
    joint = np.array([prior_causes(group) for group in GROUPS]).T * shares
    given_cause = joint / joint.sum(axis=1, keepdims=True)
    return np.asarray((1 - SAME_CODE) * given_cause + SAME_CODE * shares / shares.sum())[ALL.cause]
