"""Luck that belongs to a moment: the same case and the same hour always draw the same number.

Refuses to know what is decided by it.
"""

MASK = (1 << 64) - 1


def luck_at(seed: int, hour: int, kind: int) -> float:
    """A number from 0 up to 1 for a case's `seed`, an hour count and a kind of question (SplitMix64's mixing)."""
    mixed = (seed * 0x9E3779B97F4A7C15 + hour * 0xD1B54A32D192ED03 + kind * 0x8CB92BA72F3D8DD7) & MASK
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = ((mixed ^ (mixed >> shift)) * factor) & MASK
    return float((mixed ^ (mixed >> 31)) >> 11) / 2**53
