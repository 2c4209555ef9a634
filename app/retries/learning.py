"""Learning from an account's own cases: which causes, purses and paydays it really meets.

Expectation and maximization over the hypotheses: each case spreads itself over the stories that explain it, the
stories' counts move the weights, and so on. Tries that failed and windows still open count as what they are: evidence,
not endings. Old cases fade. Each case is forecast by what all the others teach: if that forecasts recent cases worse
than the shipped prior does, the prior is used and the reason is given. Refuses to know where cases come from.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.retries.beliefs import Trace, groups_of, relevant_attempts, trace
from app.retries.calibration_fit import Forecast, fit_calibration, log_loss
from app.retries.evidence import day_named_by_issuer
from app.retries.facts import CaseFacts
from app.retries.hypotheses import ADVISED, ALL, CAUSES, GROUPS, PURSES
from app.retries.knowledge import (
    ADVICE_TRUSTED,
    COUNTED,
    SHIPPED,
    Counts,
    Knowledge,
    Weights,
    amount_size,
    cell_of,
    country_of,
    funding_of,
    initial_weights,
)
from app.retries.moments import moments
from app.retries.paydays import CALENDARS, POSTINGS

PASSES = 12
FADES_PER_MONTH = 0.98
RECENT = 200
LEAST_CASES = 30
HAS_PURSE = ALL.purse >= 0


@dataclass(frozen=True)
class Lesson:
    """What was learnt: the knowledge to use from now on, whether it is more than the prior, and why (in English)."""

    knowledge: Knowledge
    is_used: bool
    reason: str
    gain_per_forecast: float


@dataclass(frozen=True)
class Studied:
    """One case as learning sees it: the answers under each hypothesis, and how much it still counts."""

    facts: CaseFacts
    groups: tuple[int, ...]
    seen: Trace
    likelihood: Weights
    fades: float
    is_advised: bool

    @property
    def group(self) -> int:
        """What the first decline said."""
        return self.groups[0]

    @property
    def kind(self) -> Hashable:
        """Cases of one kind begin with the same weights."""
        known = self.facts.known_paydays
        return self.group, cell_of(self.facts.card), amount_size(self.facts), known, self.is_advised


def learn(history: Sequence[CaseFacts], base: Knowledge = SHIPPED) -> Lesson:
    """What cases (with all their attempts, the approved ones too; in any order) teach beyond `base`.

    `base` may be imported counts of other accounts. Cases without any answered try after the first failure teach
    little and are welcome. Seconds for thousands of cases.
    """
    studied = study(history)
    if len(studied) < LEAST_CASES:
        return Lesson(base, False, f"{len(studied)} cases are too few to learn from; {LEAST_CASES} are needed", 0.0)
    fitted = _fit(studied, base)
    tried = [case for case in studied if len(case.seen.chance) > 1]
    by_others = [forecasts(case, _without(case, fitted)) for case in tried]
    by_base = [forecasts(case, base) for case in tried]
    gain = log_loss(list(chain(*by_base[-RECENT:]))) - log_loss(list(chain(*by_others[-RECENT:])))
    if gain < 0:
        chosen, made = base, by_base
        reason = f"the last {len(tried[-RECENT:])} cases were forecast better without it; the prior is used"
    else:
        chosen, made = fitted, by_others
        reason = f"learnt from {len(studied)} cases"
    return Lesson(replace(chosen, calibration=fit_calibration(list(chain(*made)))), gain >= 0, reason, gain)


def study(history: Sequence[CaseFacts]) -> list[Studied]:
    """Each case as learning sees it, oldest first; cases whose card nobody has charged are left out."""
    newest = max((facts.failed_at for facts in history), default=None)
    studied = []
    for facts in sorted(history, key=lambda each: (each.failed_at, each.seed)):
        attempts, (groups, _) = relevant_attempts(facts), groups_of(facts)
        if not attempts or not groups or newest is None:
            continue
        advised = _advised_at_first(facts)
        seen = trace(facts, attempts, groups, advised)
        fades = FADES_PER_MONTH ** ((newest - facts.failed_at).days / 30)
        studied.append(Studied(facts, tuple(groups), seen, seen.likelihood(), fades, advised is not None))
    return studied


def _advised_at_first(facts: CaseFacts) -> float | None:
    """The moment that the first answer named, in days after it."""
    first = groups_of(replace(facts, attempts=facts.attempts[:1]))[1]
    named = day_named_by_issuer(first) if first else None
    return float(moments(facts, [named]).after[0]) if named else None


def weights_of(case: Studied, knowledge: Knowledge) -> Weights:
    """The weights a case began with."""
    weights = initial_weights(case.facts, case.group, knowledge)
    if case.is_advised:
        weights = weights * (1 - ADVICE_TRUSTED)
        weights[ADVISED] = ADVICE_TRUSTED
    return weights


def _fit(cases: Sequence[Studied], base: Knowledge) -> Knowledge:
    alike: defaultdict[Hashable, list[Studied]] = defaultdict(list)
    for case in cases:
        alike[case.kind].append(case)
    stacks = [(same[0], np.stack([case.likelihood for case in same]), np.array([case.fades for case in same]))
              for same in alike.values()]  # fmt: skip
    knowledge = base
    for _ in range(PASSES):
        knowledge = _recounted(stacks, base, knowledge)
    return knowledge


def _recounted(stacks: Sequence[tuple[Studied, Weights, Weights]], base: Knowledge, now: Knowledge) -> Knowledge:
    """One pass: every case spreads itself over the stories as `now` has them, and the shares are added to `base`."""
    tables = {table: _tables(names) for table, names in COUNTED.items()}
    for first, likelihood, fades in stacks:
        shares = weights_of(first, now) * likelihood
        for table, cell, counts in _spread(first, (fades / shares.sum(axis=1)) @ shares):
            tables[table][cell] += counts
    counted: dict[str, Any] = {
        table: _added(getattr(base, table), tables[table], names) for table, names in COUNTED.items()
    }
    return Knowledge(**counted, cases=base.cases + sum(len(fades) for _, _, fades in stacks))


def _spread(case: Studied, share: Weights) -> Iterator[tuple[str, str, Weights]]:
    """Where cases of the kind of `case` are counted, and how much of `share` by each name there."""
    card = case.facts.card
    yield "causes", GROUPS[case.group], _by_name(ALL.cause, share, CAUSES)
    yield "purses", funding_of(card), _by_name(ALL.purse[HAS_PURSE], share[HAS_PURSE], PURSES)
    yield "paydays", cell_of(card), share[: ALL.paid].reshape(len(CALENDARS), -1).sum(axis=1)
    yield "postings", country_of(card), _by_name(ALL.posting[: ALL.paid], share[: ALL.paid], POSTINGS)


def _by_name(places: NDArray[np.intp], share: Weights, names: tuple[str, ...]) -> Weights:
    return np.asarray(np.bincount(places, share, len(names)), dtype=np.float64)


def _without(case: Studied, knowledge: Knowledge) -> Knowledge:
    """What all the other cases taught: nobody's forecast may know how it ended."""
    shares = weights_of(case, knowledge) * case.likelihood
    left: dict[str, Any] = {}
    for table, cell, counts in _spread(case, case.fades / shares.sum() * shares):
        cells, own = getattr(knowledge, table), dict(zip(COUNTED[table], counts.tolist(), strict=True))
        left[table] = {**cells, cell: {name: max(0.0, count - own[name]) for name, count in cells[cell].items()}}
    return replace(knowledge, **left)


def _tables(names: tuple[str, ...]) -> defaultdict[str, Weights]:
    return defaultdict(lambda: np.zeros(len(names)))


def _added(base: Counts, new: dict[str, NDArray[np.float64]], names: tuple[str, ...]) -> Counts:
    cells = {cell: dict(counts) for cell, counts in base.items()}
    for cell, counts in new.items():
        known = cells.setdefault(cell, {})
        for name, count in zip(names, counts.tolist(), strict=True):
            if count > 1e-6:
                known[name] = known.get(name, 0.0) + count
    return cells


def forecasts(case: Studied, knowledge: Knowledge) -> list[Forecast]:
    """What the model would have said before each try of a case, and what came."""
    weights, said = weights_of(case, knowledge), []
    for number, (chance, fits) in enumerate(zip(case.seen.chance, case.seen.fits, strict=True)):
        weights = weights / weights.sum()
        approved = bool(case.seen.approved[number])
        if number:
            last = case.groups[min(number, len(case.groups)) - 1]
            said.append(Forecast(GROUPS[last], float(weights @ chance), approved))
        weights = weights * (chance if approved else 1 - chance) * fits
    return said
