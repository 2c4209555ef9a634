"""Choosing the set of moments: the few looks that together are most likely to meet an account with money.

The value of a set is what its tries are expected to bring, each counted only if all before it failed, later money
counting a little less, less what each try costs. One moment is added at a time, the best first; then each is taken out
once more and put where it is best now. Refuses to know what hypotheses mean.
"""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.retries.curves import Chances, Outlook
from app.retries.knowledge import Weights

EXCHANGE_ROUNDS = 1
NOWHERE = -np.inf
EVERYWHERE = slice(0, None)


@dataclass(frozen=True)
class Board:
    """The outlook of a case from here: column 0 is the last failure, the others are the open slots in rising order.

    `weights` belong to the rows of the outlook, `worth` (what an approval at a slot is worth, 1 today) to its columns.
    `cost` is the price of a try in the same unit; `gap` the least distance of two tries in days. What was worked out
    once is kept: the same columns are asked for again and again while sets are compared.
    """

    seen: Outlook
    weights: Weights
    worth: NDArray[np.float64]
    cost: float
    gap: float
    _after: dict[int, Chances] = field(default_factory=dict, compare=False)
    _before: dict[int, Chances] = field(default_factory=dict, compare=False)
    _values: dict[tuple[int, ...], NDArray[np.float64]] = field(default_factory=dict, compare=False)

    def given_failure(self, column: int) -> Chances:
        """The chances at all slots if a try at `column` was the last to fail; of meaning for later ones."""
        if column not in self._after:
            self._after[column] = self.seen.after_failure(column, EVERYWHERE)
        return self._after[column]

    def at_given_failures(self, column: int) -> Chances:
        """The chances at the slot `column` if a try at each slot was the last to fail; of meaning for earlier ones."""
        if column not in self._before:
            self._before[column] = self.seen.at_column_after(EVERYWHERE, column)
        return self._before[column]

    def values_with(self, columns: tuple[int, ...]) -> NDArray[np.float64]:
        """The value of `columns` with each slot added in turn; minus infinity where the gap forbids it."""
        if columns not in self._values:
            self._values[columns] = _values_with(self, columns)
        return self._values[columns]

    def between(self, before: int | None, after: int | None) -> slice:
        """The slots that lie between two chosen ones and keep the gap to both."""
        earliest, latest = self._reach
        start = 1 if before is None else max(earliest[before], 1)
        return slice(start, self.slots + 1 if after is None else latest[after])

    @cached_property
    def slots(self) -> int:
        """How many open slots there are."""
        return len(self.seen.at.after) - 1

    @cached_property
    def _reach(self) -> tuple[list[int], list[int]]:
        """For each column the first that keeps the gap behind it, and the end of those that keep it before it."""
        at = self.seen.at.after
        earliest = np.searchsorted(at, at + self.gap - 1e-9)
        return earliest.tolist(), np.searchsorted(at, at - self.gap + 1e-9, side="right").tolist()


@dataclass(frozen=True)
class Chosen:
    """Columns of the board in rising order, and their value together."""

    columns: tuple[int, ...]
    value: float


def choose(board: Board, tries: int) -> Chosen:
    """The best set of at most `tries` slots; fewer where one more would cost more than it brings."""
    best = Chosen((), 0.0)
    for _ in range(min(tries, board.slots)):
        better = _with_one_more(board, best.columns)
        if better.value <= best.value + 1e-12:
            break
        best = better
    for _ in range(EXCHANGE_ROUNDS if len(best.columns) > 1 else 0):
        before = best
        for column in best.columns:
            moved = _with_one_more(board, tuple(each for each in best.columns if each != column))
            best = moved if moved.value > best.value + 1e-12 else best
        if best == before:
            break
    return best


def _with_one_more(board: Board, columns: tuple[int, ...]) -> Chosen:
    values = board.values_with(columns)
    column = int(values.argmax()) + 1
    return Chosen(tuple(sorted((*columns, column))), float(values[column - 1]))


def _values_with(board: Board, columns: tuple[int, ...]) -> NDArray[np.float64]:
    """Between two chosen slots a new one is reached by those still unpaid (`alive`), and what comes after it counts
    for those it leaves unpaid.
    """
    values = np.full(board.slots, NOWHERE)
    tails = _tails(board, columns)
    alive, unpaid, earned = board.weights, float(board.weights.sum()), 0.0
    for number, before in enumerate((0, *columns)):
        if number:
            chance = board.given_failure(columns[number - 2] if number > 1 else 0)[:, before]
            earned += float(board.worth[before] * (alive @ chance)) - board.cost * unpaid
            alive = alive * (1 - chance)
            unpaid = float(alive.sum())
        after = columns[number] if number < len(columns) else None
        between = board.between(before if number else None, after)
        if between.stop > between.start:
            gain = _gain(board, alive, board.given_failure(before)[:, between], between, after, tails[number])
            values[between.start - 1 : between.stop - 1] = earned + gain - board.cost * unpaid
    return values


def _gain(
    board: Board, alive: Weights, new: Chances, between: slice, after: int | None, tail: Weights
) -> NDArray[np.float64]:
    """What a try at each slot of `between` brings, and the tries from `after` on behind it.

    With chance p of the new try and q of the next, worth v and w, and `tail` r behind that, one row brings
    v p + (1 - p) (q (w - r) + r - cost); written out below so that the sums over rows are products of matrices.
    """
    if after is None:
        return np.asarray(board.worth[between] * (alive @ new))
    following = board.at_given_failures(after)[:, between]
    on_following, on_none = alive * (board.worth[after] - tail), alive * (tail - board.cost)
    behind = on_following @ (following - new * following) + float(on_none.sum()) - on_none @ new
    return np.asarray(board.worth[between] * (alive @ new) + behind)


def _tails(board: Board, columns: tuple[int, ...]) -> list[Weights]:
    """For each chosen slot what the ones after it bring to somebody still unpaid, by hypothesis."""
    tails = [np.zeros(len(board.weights))]
    for before, after in reversed(list(pairwise(columns))):
        chance = board.given_failure(before)[:, after]
        tails.append(chance * board.worth[after] - board.cost + (1 - chance) * tails[-1])
    return [*tails[::-1], tails[0]] if columns else tails
