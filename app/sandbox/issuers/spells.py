"""Times in which something is wrong: spells that begin by chance and end after a while, the same ones for ever.

They can be looked up at any moment in any order, because the calendar is cut into blocks, and a block's luck is its
own. Moments are days as a float. Refuses to know what a spell means.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.sandbox.issuers.luck import luck

_YEAR = 365.25


@dataclass(frozen=True)
class Spell:
    """From `begins` to `ends`, in days. `number` names it, for luck of its own."""

    number: int
    begins: float
    ends: float


@dataclass(frozen=True)
class Spells:
    """`per_year` of them for `owner`, none longer than `longest` days; `lasts` gives a spell's length from its number
    and its beginning.
    """

    owner: tuple[str | int, ...]
    per_year: float
    longest: float
    lasts: Callable[[int, float], float]

    def at(self, day: float) -> Spell | None:
        """The spell that this moment lies in, the latest to begin where there are two; else None."""
        if not self.per_year:
            return None
        size = self.longest
        for block in (int(day // size), int(day // size) - 1):
            found = self._in(block, size)
            if found is not None and found.begins <= day < found.ends:
                return found
        return None

    def _in(self, block: int, size: float) -> Spell | None:
        """The spell of a block, if it has one."""
        if luck(*self.owner, "spell", block) >= self.per_year * size / _YEAR:
            return None
        begins = (block + luck(*self.owner, "begins", block)) * size
        return Spell(block, begins, begins + min(self.lasts(block, begins), size))
