"""The best that anybody could do who knows a world's every number, but not the person: a bound that can be reached.

The clairvoyant knows on which day this customer is paid. Nobody can; where a world's people differ, most of the way to
the clairvoyant is closed to every planner. The informed one draws hundreds of people of the world who would have failed
at the same moment, weighs them by the code that was heard, plans against them, and drops those whom a failed try
refutes. `python -m benchmarks.retries informed --world business_credit`. Refuses to look at the case it plays.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import NormalDist
from typing import Any

import numpy as np

from app.retries.evaluation import FailedPayment
from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.measuring.contest import Ahead, Case, Player, opening
from app.retries.measuring.contestants import is_closed
from app.retries.moments import zone_for
from app.retries.network_rules import card_floors, invoice_cap, invoice_floors
from app.retries.worlds.accounts import open_account, ordinal_of
from app.retries.worlds.codes import HIDES, SAYS
from app.retries.worlds.issuing import IssuingWorld
from app.retries.worlds.parameters import common, world
from app.retries.worlds.reasons import Limit, Money, Now, Outage, Suspicion, outage_hours
from benchmarks.strange_worlds import HIDDEN, TOLD, Nature, Purse, draw_purse

HOURS = 9.25, 15.0, 21.0
PEOPLE, OUTAGES = 250, 15
HOUR = timedelta(hours=1)
NORMAL = [NormalDist().inv_cdf((number + 0.5) / OUTAGES) for number in range(OUTAGES)]
Codes = dict[str, float]


@dataclass(frozen=True)
class Kin:
    """Somebody this case could be: the share of such people, how they are declined, their chances at each slot."""

    share: float
    says: Codes
    chances: np.ndarray


@dataclass(frozen=True)
class Informed:
    """Knows `kin_of`: the people of a world who fail at a moment; `repeats` is how often a bank repeats its code."""

    kin_of: Callable[[FailedPayment, Sequence[datetime], np.random.Generator], list[Kin]]
    repeats: float = 0.8
    name: str = "informed"

    def player(self, case: Case, policy: RetryPolicy) -> Player:
        """One who weighs the same kin anew after each answer."""
        failure, slots, kin = case.failure, list[datetime](), list[Kin]()

        def next_try(facts: CaseFacts, now: datetime) -> Ahead | None:
            cap, _ = invoice_cap(facts, policy)
            left = cap - (len(facts.attempts) - 1)
            if left <= 0 or is_closed(facts):
                return None
            if not slots:
                slots.extend(_slots(facts, policy))
                kin.extend(self.kin_of(failure, slots, np.random.default_rng(failure.amount_minor)))
            weights = self._weights(facts, kin, slots)
            floors = [floor.at for floor in (*card_floors(facts, policy), *invoice_floors(facts, policy))]
            first = max([now, *floors])
            open_slots = [number for number, at in enumerate(slots) if at >= first]
            if not open_slots or not weights.any():
                return None
            chances = np.array([each.chances for each in kin])[:, open_slots]
            gap = timedelta(hours=policy.min_gap_hours)
            best = _best(weights, chances, [slots[number] for number in open_slots], left, gap)
            return Ahead(slots[open_slots[best]]) if best is not None else None

        return next_try

    def _weights(self, facts: CaseFacts, kin: Sequence[Kin], slots: Sequence[datetime]) -> np.ndarray:
        first, *later = (str(attempt.signals.decline_code) for attempt in facts.attempts)
        weights = np.array([each.share * each.says.get(first, 0.0) for each in kin])
        for code, attempt in zip(later, facts.attempts[1:], strict=True):
            slot = slots.index(attempt.at)
            heard = np.array([each.says.get(code, 0.0) for each in kin])
            weights = weights * (1 - np.array([each.chances[slot] for each in kin]))
            weights = weights * (self.repeats * (code == first) + (1 - self.repeats) * heard)
        return np.asarray(weights)


def _slots(facts: CaseFacts, policy: RetryPolicy) -> list[datetime]:
    midnight = facts.failed_at.astimezone(zone_for(facts) or UTC).replace(hour=0, minute=0, second=0)
    end = facts.failed_at + timedelta(days=policy.window_days)
    found = [midnight + timedelta(days=day, hours=hour) for day in range(policy.window_days + 1) for hour in HOURS]
    return [at for at in found if facts.failed_at + timedelta(minutes=10) < at < end]


def _best(
    weights: np.ndarray, chances: np.ndarray, slots: Sequence[datetime], tries: int, gap: timedelta
) -> int | None:
    """The first of the best set of slots: one added at a time, then each moved twice to where it is best now."""
    chosen: list[int] = []

    def add(others: list[int]) -> list[int]:
        alive = weights * np.prod(1 - chances[:, others], axis=1)
        gains = alive @ chances
        for number, at in enumerate(slots):
            if any(abs(at - slots[other]) < gap for other in others):
                gains[number] = 0.0
        return [*others, int(np.argmax(gains))] if gains.max() > 0 else others

    for _ in range(tries):
        chosen = add(chosen)
    for _ in range(2):
        for moved in list(chosen):
            chosen = add([each for each in chosen if each != moved])
    return min(chosen, default=None)


def informed_of(place: object) -> Informed:
    """The informed planner of a world of ours, or of a strange or drawn one."""
    if isinstance(place, Nature):
        nature = place
        return Informed(lambda failure, slots, rng: _strange_kin(nature, failure, slots, rng))
    if isinstance(place, IssuingWorld):
        name = place.name
        return Informed(lambda failure, slots, rng: _own_kin(name, failure, slots, rng), common()["same_code_again"])
    raise TypeError(f"nobody is informed about {place!r}")


def _strange_kin(
    nature: Nature, failure: FailedPayment, slots: Sequence[datetime], rng: np.random.Generator
) -> list[Kin]:
    codes = {cause: _strange_codes(nature, cause) for cause in nature.causes}
    zone = zone_for(opening(failure, "")) or UTC
    failed, *local = (ordinal_of(at.astimezone(zone)) for at in (failure.failed_at, *slots))
    kin = []
    if codes["nsf"].get(str(failure.signals.decline_code)):
        for purse in _short_purses(nature, failed, rng):
            chances = np.array([nature.with_money if purse.cover(at) > 0 else 0.01 for at in local])
            kin.append(Kin(nature.causes["nsf"] / PEOPLE, codes["nsf"], chances))
    days = np.array([(at - failure.failed_at) / timedelta(days=1) for at in slots])
    months = [date.fromordinal(int(at)).replace(day=1) for at in (failed, *local)]
    is_later = np.array([month != months[0] for month in months[1:]])
    never = np.zeros(len(slots))
    others = [
        ("suspicion", nature.calms, 0.04 + 0.75 * (1 - 2 ** (-days / nature.calm_days))),
        ("suspicion", 1 - nature.calms, never + 0.02),
        ("velocity", nature.limit_daily, np.where(days >= 1, 0.9, 0.02)),
        ("velocity", 1 - nature.limit_daily, np.where(is_later, 0.9, 0.02)),
        *(("outage", 1 / OUTAGES, np.where(24 * days > 2 * np.exp(1.1 * each), 0.93, 0.0)) for each in NORMAL),
        ("dead", 1.0, never),
    ]  # fmt: skip
    return kin + [Kin(nature.causes[cause] * share, codes[cause], chances) for cause, share, chances in others]


def _short_purses(nature: Nature, local: float, rng: np.random.Generator) -> Iterator[Purse]:
    found = 0
    while found < PEOPLE:
        purse = draw_purse(nature, local, rng)
        if purse.cover(local) < 0:
            found += 1
            yield purse


def _strange_codes(nature: Nature, cause: str) -> Codes:
    hides = nature.hides if cause in ("nsf", "dead", "velocity", "outage") else 0.0
    return _mixed([(1 - hides, TOLD[cause]), (hides, HIDDEN)])


def _own_kin(name: str, failure: FailedPayment, slots: Sequence[datetime], rng: np.random.Generator) -> list[Kin]:
    parameters, zone = world(name), zone_for(opening(failure, "")) or UTC
    masked = common()["nsf_masked"]
    codes = {cause: _mixed([(1.0, words)]) for cause, words in SAYS.items()}
    codes["money"] = _mixed([(1 - masked, ("insufficient_funds",)), (masked, HIDES)])
    moments = [Now((at - failure.failed_at) / HOUR, ordinal_of(at.astimezone(zone)), 0) for at in slots]
    causes, failed = parameters["causes"], ordinal_of(failure.failed_at.astimezone(zone))
    kin = []
    if codes["money"].get(str(failure.signals.decline_code)):
        people = _short_at(parameters, failed, rng)
        for each in people:
            chances = [common()["approval_with_money"] * (each.account.actual(now.local) > 0) for now in moments]
            kin.append(Kin(causes["money"] / PEOPLE, codes["money"], np.array(chances, dtype=float)))
    persists, daily = common()["suspicion_persists"], common()["limit_resets_daily"]
    others: list[tuple[str, float, Any]] = [
        ("suspicion", persists, Suspicion(True)), ("suspicion", 1 - persists, Suspicion(False)),
        ("limit", daily, Limit(False, failed)), ("limit", 1 - daily, Limit(True, failed)),
        *(("outage", 1 / OUTAGES, Outage(outage_hours(each))) for each in NORMAL),
    ]  # fmt: skip
    kin += [Kin(causes[cause] * share, codes[cause], np.array([one.chance(now) for now in moments]))
            for cause, share, one in others]  # fmt: skip
    return [*kin, Kin(causes["hidden_dead"], codes["hidden_dead"], np.zeros(len(slots)))]


def _short_at(parameters: dict[str, Any], local: float, rng: np.random.Generator) -> list[Money]:
    people: list[Money] = []
    while len(people) < PEOPLE:
        account = open_account(parameters, int(local - rng.random() * 20), rng)
        if account.actual(local) < 0:
            people.append(Money(account))
    return people


def _mixed(parts: Sequence[tuple[float, Sequence[str]]]) -> Codes:
    """How likely each code is, where each part's words share its weight."""
    codes: Codes = {}
    for weight, words in parts:
        for word in words:
            codes[word] = codes.get(word, 0.0) + weight / len(words)
    return codes
