"""The plan: from the facts of a case to the moments at which its card is tried, with their chances.

Read `beliefs` for why, `slots` for when, `choice` for which; here they meet. A plan is made as of the last news of a
case, so that asking again gives the same answer until something happens. Refuses to carry anything out, and to decide
whether a card may be tried at all: the rules in `network_rules` stand before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from app.retries.beliefs import Beliefs, believe
from app.retries.calibration import calibrated
from app.retries.choice import NOWHERE, Board, Chosen, choose
from app.retries.curves import outlook
from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.history import automatic_tries, uses_of_number
from app.retries.hypotheses import ALL, CAUSES, GROUPS, name_of
from app.retries.knowledge import SHIPPED, Knowledge, Weights
from app.retries.moments import moments
from app.retries.network_rules import Floor, card_floors, invoice_cap, invoice_floors, tries_left_of_number
from app.retries.paydays import CALENDARS
from app.retries.slots import Slots, find_slots

DAILY_WORTH = 0.997  # later money is worth a little less, and a customer may leave meanwhile
DAILY_WORTH_OF_OUTAGE = 0.90  # nobody but the bank is at fault: the customer should not even get a mail
OUTAGE_GAP_HOURS = 6
COST_OF_TRY = 0.004  # in shares of the amount; rises as the card's budget runs out
KEPT_SHARE = 0.95
TOP_STORIES = 10


@dataclass(frozen=True)
class Option:
    """One slot for the next try: its chance as the model says and calibrated, and the value of the set with it."""

    at: datetime
    model_chance: float
    chance: float
    value: float


@dataclass(frozen=True)
class Plan:
    """The tries that are best together, first the next one; empty `tries` mean that no try is worth its cost.

    `next` is the option that was chosen, `options` all slots for the next try, the best first and of each day one;
    `stories` are the likeliest hypotheses with their weights, `causes` and `paydays` the same by cause and, among empty
    accounts, by pay calendar. `value` is what the whole plan is expected to bring, in shares of the amount.
    """

    tries: tuple[datetime, ...]
    value: float
    next: Option | None
    options: tuple[Option, ...]
    stories: tuple[tuple[str, float], ...]
    causes: Mapping[str, float]
    paydays: Mapping[str, float]
    slots: Slots
    group: str


@dataclass(frozen=True)
class Blindness:
    """What a planner refuses to see, to measure what seeing it is worth."""

    floors: bool = False
    calendars: bool = False
    failures: bool = False


SEES_ALL = Blindness()


def make_plan(
    facts: CaseFacts, policy: RetryPolicy, knowledge: Knowledge = SHIPPED, blind: Blindness = SEES_ALL
) -> Plan:
    """The best tries of the present card from the last news on, within the rules that make a card wait."""
    beliefs = believe(facts, knowledge, learns_from_failures=not blind.failures)
    if blind.calendars:
        beliefs = _without_calendars(beliefs)
    gaps = tuple(invoice_floors(facts, policy))
    floors = gaps if blind.floors else (*gaps, *card_floors(facts, policy))
    return _plan_within(facts, policy, knowledge, beliefs, floors)


def last_news(facts: CaseFacts) -> datetime:
    """When something last happened: the first failure, a try, a new card."""
    moments_known = [facts.failed_at, *(attempt.at for attempt in facts.attempts)]
    return max([*moments_known, facts.new_card_at] if facts.new_card_at else moments_known)


def tries_left(facts: CaseFacts, policy: RetryPolicy) -> int:
    """How many tries the caps of the invoice and of the card number leave."""
    cap, _ = invoice_cap(facts, policy)
    of_number = tries_left_of_number(facts)
    left = cap - len(automatic_tries(facts))
    return max(0, left if of_number is None else min(left, of_number))


def _plan_within(
    facts: CaseFacts, policy: RetryPolicy, knowledge: Knowledge, beliefs: Beliefs, floors: tuple[Floor, ...]
) -> Plan:
    news, group = last_news(facts), GROUPS[beliefs.group]
    slots = find_slots(facts, policy, since=news, floors=floors, is_technical=group == "technical")
    tries: tuple[datetime, ...] = ()
    options: tuple[Option, ...] = ()
    value = 0.0
    if slots.open:
        board = _board(facts, policy, beliefs, news, slots)
        chosen = choose(board, tries_left(facts, policy))
        tries, value = tuple(slots.open[column - 1] for column in chosen.columns), chosen.value
        options = _options(board, chosen, slots, group, knowledge)
    first = next((option for option in options if option.at == tries[0]), None) if tries else None
    by_cause, by_calendar = _summed(beliefs)
    return Plan(tries, value, first, options, _stories(beliefs), by_cause, by_calendar, slots, group)


def _board(facts: CaseFacts, policy: RetryPolicy, beliefs: Beliefs, news: datetime, slots: Slots) -> Board:
    rows = _likely_rows(beliefs)
    at = moments(facts, [news, *slots.open])
    seen = outlook(ALL.some(rows), at, beliefs.table, beliefs.advised)
    weights = beliefs.weights[rows] / beliefs.weights[rows].sum()
    is_outage = GROUPS[beliefs.group] == "technical"
    gap = OUTAGE_GAP_HOURS if is_outage else policy.min_gap_hours
    worth = (DAILY_WORTH_OF_OUTAGE if is_outage else DAILY_WORTH) ** at.after
    return Board(seen, weights, worth, _cost(facts, policy, news), gap / 24)


def _likely_rows(beliefs: Beliefs) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """The fewest rows that hold nearly all weight, in their own order."""
    order = np.argsort(beliefs.weights)[::-1]
    needed = int(np.searchsorted(np.cumsum(beliefs.weights[order]), KEPT_SHARE)) + 1
    return np.sort(order[:needed])


def _cost(facts: CaseFacts, policy: RetryPolicy, news: datetime) -> float:
    recent = sum(1 for use in uses_of_number(facts) if news - use < timedelta(days=30))
    fullness = min(recent / policy.per_card_30d, 1.0)
    return float(COST_OF_TRY * (1 + 3 * fullness**2))


def _options(board: Board, chosen: Chosen, slots: Slots, group: str, knowledge: Knowledge) -> tuple[Option, ...]:
    """Every slot that the next try could take, the others of the plan staying; of each day one, the chosen first."""
    if not chosen.columns:
        return ()
    first, *rest = chosen.columns
    values = board.values_with(tuple(rest))[: rest[0] - 1 if rest else None].tolist()
    chances = (board.weights @ board.given_failure(0)[:, 1:]).tolist()
    days = board.seen.at.local[1:].astype(int).tolist()
    possible = (place for place, value in enumerate(values) if value > NOWHERE)
    best: dict[int, Option] = {}
    for place in sorted(possible, key=lambda each: (each != first - 1, -values[each])):
        if days[place] not in best:
            chance = chances[place]
            best[days[place]] = Option(slots.open[place], chance, calibrated(chance, group, knowledge), values[place])
    return tuple(best.values())


def _stories(beliefs: Beliefs) -> tuple[tuple[str, float], ...]:
    order = np.argsort(beliefs.weights)[::-1][:TOP_STORIES]
    return tuple((name_of(int(row)), float(beliefs.weights[row])) for row in order)


def _summed(beliefs: Beliefs) -> tuple[dict[str, float], dict[str, float]]:
    """Weights by cause, and by calendar among all that is believed, the heaviest first."""
    causes = np.asarray(np.bincount(ALL.cause, beliefs.weights, len(CAUSES)), dtype=np.float64)
    calendars = beliefs.weights[: ALL.paid].reshape(len(CALENDARS), -1).sum(axis=1)
    return _heaviest_first(CAUSES, causes), _heaviest_first(CALENDARS, calendars)


def _heaviest_first(names: tuple[str, ...], weights: Weights) -> dict[str, float]:
    return {names[place]: float(weights[place]) for place in np.argsort(-weights)}


def _without_calendars(beliefs: Beliefs) -> Beliefs:
    """The same beliefs with every calendar equally likely, for the measurement of what calendars are worth."""
    weights = beliefs.weights.copy()
    has_calendar = ALL.calendar >= 0
    weights[has_calendar] = weights[has_calendar].sum() / has_calendar.sum()
    return Beliefs(weights, beliefs.table, beliefs.group, beliefs.advised)
