"""From what has happened to what is believed: exact Bayes over the hypotheses, one factor for each failed try.

A failed try speaks against every hypothesis that gave it a good chance; a decline code that changes speaks for the
causes that use the new one. Refuses to know what will be tried next.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from app.retries.curves import Chances, outlook
from app.retries.evidence import day_named_by_issuer, group_of
from app.retries.facts import Attempt, CaseFacts
from app.retries.history import Refusal, is_on_present_card, is_on_same_number, refusals
from app.retries.hypotheses import ADVISED, ALL
from app.retries.knowledge import ADVICE_TRUSTED, Knowledge, Weights, changed_code_table, initial_weights
from app.retries.moments import moments, zone_for
from app.retries.paydays import PaydayTable, payday_table

NO_GROUP = 2  # generic
REMEMBERED = timedelta(days=360)


@dataclass(frozen=True)
class Trace:
    """What each hypothesis (column) had said about each try (row), the first failure being row 0.

    `fits` is how well the code of each answer fits, 1 where it did not change; `approved` tells the answers.
    """

    chance: Chances
    fits: Chances
    approved: NDArray[np.bool_]

    def likelihood(self) -> Weights:
        """How well each hypothesis explains all answers together."""
        answers = np.where(self.approved[:, None], self.chance, 1 - self.chance)
        return np.asarray(np.prod(answers * self.fits, axis=0))


@dataclass(frozen=True)
class Beliefs:
    """Weights of all hypotheses after the last failure, which add up to one, and what the curves need."""

    weights: Weights
    table: PaydayTable
    group: int
    advised: float | None


def table_for(facts: CaseFacts) -> PaydayTable:
    """The payday table of the card's country around the case."""
    country = facts.card.country if facts.card else None
    return payday_table(country, facts.failed_at.year)


def relevant_attempts(facts: CaseFacts) -> tuple[Attempt, ...]:
    """Answered tries of the present card, oldest first; of another card only the first failure's moment matters."""
    answered = [each for each in facts.attempts if each.outcome in ("approved", "declined")]
    told = (each for each in answered if is_on_present_card(each, facts) and _is_remembered(each, facts))
    return tuple(sorted(told, key=lambda each: each.at))


def _is_remembered(attempt: Attempt, facts: CaseFacts) -> bool:
    """An old debt may have been tried years ago; that tells nothing of a purse today, and the calendars do not reach
    there."""
    return abs(attempt.at - facts.failed_at) <= REMEMBERED


def trace(facts: CaseFacts, attempts: tuple[Attempt, ...], groups: list[int], advised: float | None) -> Trace:
    """What all hypotheses had said about `attempts`, whose declines belong to `groups`."""
    at = moments(facts, [each.at for each in attempts])
    seen = outlook(ALL, at, table_for(facts), advised)
    chance, fits = np.empty((len(attempts), len(ALL))), np.ones((len(attempts), len(ALL)))
    for number in range(len(attempts)):
        alone = seen.chance[:, number]
        chance[number] = seen.after_failure(number - 1, slice(number, number + 1))[:, 0] if number else alone
        if 0 < number < len(groups) and groups[number] != groups[number - 1]:
            fits[number] = changed_code_table()[:, groups[number]]
    approved = np.array([each.outcome == "approved" for each in attempts])
    chance[0] = np.where(ALL.calendar >= 0, chance[0], 0.0)
    return Trace(chance, fits, approved)


def groups_of(facts: CaseFacts) -> tuple[list[int], Refusal | None]:
    """The groups of the present card's declines, oldest first, and the last of them."""
    known = [refusal for attempt, refusal in refusals(facts)
             if is_on_present_card(attempt, facts) and is_on_same_number(attempt, facts)
             and _is_remembered(attempt, facts)]  # fmt: skip
    return [group_of(refusal.meaning) for refusal in known], known[-1] if known else None


def believe(facts: CaseFacts, knowledge: Knowledge, *, learns_from_failures: bool = True) -> Beliefs:
    """What is believed about the present card after everything that has happened to it."""
    groups, last = groups_of(facts)
    group = groups[0] if groups else NO_GROUP
    weights = initial_weights(facts, group, knowledge)
    named = day_named_by_issuer(last) if last else None
    advised = float(moments(facts, [named]).after[0]) if named else None
    attempts = relevant_attempts(facts)
    attempts = attempts if learns_from_failures else attempts[:1]
    if attempts:
        weights = weights * trace(facts, attempts, groups, advised).likelihood()
    weights = weights / weights.sum()
    if advised is not None:
        weights = weights * (1 - ADVICE_TRUSTED)
        weights[ADVISED] = ADVICE_TRUSTED
    return Beliefs(weights, table_for(facts), groups[-1] if groups else group, advised)


def zone_name(facts: CaseFacts) -> str:
    """The name of the zone in which the payer's days are counted."""
    zone = zone_for(facts)
    return zone.key if zone else "UTC"
