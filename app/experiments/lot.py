"""The lot: which variant somebody gets, the same one every time it is asked. Pure; knows no rows, clock or outcome.

A lot is drawn by hashing who it is for together with what it is about, so that nothing has to be stored before it is
drawn, the same customer stays in the same arm for ever, and two experiments do not share their luck.
"""

import hashlib
from collections.abc import Sequence

_SPACE = 2**64


def draw(unit: str, about: str) -> float:
    """A number from 0 (within) to 1 (without) for `unit` (a customer's id, say) in the lot named `about`."""
    digest = hashlib.sha256(f"{len(about)}:{about}:{unit}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / _SPACE


def pick(variants: Sequence[str], unit: str, about: str) -> str | None:
    """One of `variants`, each equally likely over all units; None where there is nothing to choose from.

    The choice goes by the set of names, not by their order: reordering a list moves nobody to another arm.
    """
    arms = sorted(set(variants))
    return arms[min(int(draw(unit, about) * len(arms)), len(arms) - 1)] if arms else None
