"""Moments as two clocks side by side: days since the first failure, and the payer's own calendar.

Refuses to know what happens at any of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from app.retries.calendars import find_zone
from app.retries.facts import CaseFacts
from app.retries.prior import read_table

DAY = timedelta(days=1)
COUNTRIES = {row["country"]: row for row in read_table("countries")}


@dataclass(frozen=True)
class Moments:
    """`after` in days since the first failure; `local` as proleptic ordinals of the payer's calendar with fractions."""

    after: NDArray[np.float64]
    local: NDArray[np.float64]

    def some(self, columns: NDArray[np.intp] | slice) -> "Moments":
        """Only these."""
        return Moments(self.after[columns], self.local[columns])


def zone_for(facts: CaseFacts) -> ZoneInfo | None:
    """The payer's zone, else the largest one of their card's country, else None."""
    country = (facts.card.country or "").upper() if facts.card else ""
    return find_zone(facts.timezone) or find_zone(COUNTRIES.get(country, {}).get("zone"))


def moments(facts: CaseFacts, times: Sequence[datetime]) -> Moments:
    """The aware moments `times` on both clocks."""
    zone = zone_for(facts) or UTC
    after = [(at - facts.failed_at) / DAY for at in times]
    local = [_ordinal(at.astimezone(zone)) for at in times]
    return Moments(np.array(after), np.array(local))


def _ordinal(local: datetime) -> float:
    return local.toordinal() + (local.hour * 60 + local.minute) / 1440


@lru_cache(maxsize=1024)
def region_of(country: str | None) -> str:
    """Whose pay customs hold for cards of `country` (ISO 3166 alpha-2)."""
    return COUNTRIES.get((country or "").upper(), {}).get("region", "elsewhere")
