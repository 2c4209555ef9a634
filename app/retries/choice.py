"""Choosing the set of moments: the few looks that together are most likely to meet an account with money.

The value of a set is what its tries are expected to bring, each counted only if all before it failed, later money
counting a little less, less what each try costs. One moment is added at a time, the best first; then each is taken out
once more and put where it is best now. Refuses to know what hypotheses mean.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from app.retries.curves import Chances, Outlook
from app.retries.knowledge import Weights

EXCHANGE_ROUNDS = 2
NOWHERE = -np.inf


@dataclass(frozen=True)
class Board:
    """The outlook of a case from here: column 0 is the last failure, the others are the open slots in rising order.

    `weights` belong to the rows of the outlook, `worth` (what an approval at a slot is worth, 1 today) to its columns.
    `cost` is the price of a try in the same unit; `gap` the least distance of two tries in days.
    """

    seen: Outlook
    weights: Weights
    worth: NDArray[np.float64]
    cost: float
    gap: float

    @property
    def slots(self) -> int:
        """How many open slots there are."""
        return len(self.seen.at.after) - 1


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
    values = values_with(board, columns)
    column = int(np.argmax(values)) + 1
    return Chosen(tuple(sorted((*columns, column))), float(values[column - 1]))


def values_with(board: Board, columns: tuple[int, ...]) -> NDArray[np.float64]:
    """The value of `columns` with each slot added in turn; minus infinity where the gap forbids it."""
    values = np.full(board.slots, NOWHERE)
    bounds = (0, *columns, board.slots + 1)
    tails = _tails(board, columns)
    alive, earned = board.weights, 0.0
    for number, (before, after) in enumerate(pairwise(bounds)):
        if number:
            chance = board.seen.after_failure(bounds[number - 1], slice(before, before + 1))[:, 0]
            earned += float(alive @ (board.worth[before] * chance)) - board.cost * float(alive.sum())
            alive = alive * (1 - chance)
        between = _between(board, before if number else None, after if number < len(columns) else None)
        if between.stop > between.start:
            new = board.seen.after_failure(before, between)
            tail = _tail_after(board, between, after, tails[number]) if number < len(columns) else 0.0
            gain = new * (board.worth[between] - tail) + tail
            values[between.start - 1 : between.stop - 1] = earned + alive @ gain - board.cost * float(alive.sum())
    return values


def _between(board: Board, before: int | None, after: int | None) -> slice:
    """The slots that lie between two chosen ones and keep the gap to both."""
    at = board.seen.at.after
    start = 1 if before is None else int(np.searchsorted(at, at[before] + board.gap - 1e-9))
    stop = len(at) if after is None else int(np.searchsorted(at, at[after] - board.gap + 1e-9, side="right"))
    return slice(max(start, 1), stop)


def _tails(board: Board, columns: tuple[int, ...]) -> list[Weights]:
    """For each chosen slot what the ones after it bring to somebody still unpaid, by hypothesis."""
    tails = [np.zeros(len(board.weights))]
    for before, after in reversed(list(pairwise(columns))):
        chance = board.seen.after_failure(before, slice(after, after + 1))[:, 0]
        tails.append(chance * board.worth[after] - board.cost + (1 - chance) * tails[-1])
    return tails[::-1]


def _tail_after(board: Board, between: slice, after: int, tail: Weights) -> Chances:
    """What the tries from slot `after` on bring, by hypothesis, if a slot of `between` was the last to fail."""
    chance = board.seen.at_column_after(between, after)
    return np.asarray(chance * (board.worth[after] - tail[:, None]) + (tail[:, None] - board.cost))
