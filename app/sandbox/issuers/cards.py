"""The life of one card: whose it is, until when it is good, when it dies, and whether a network's updater says so.

Refuses to know money and charges.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log
from typing import Any

from app.sandbox.issuers.luck import luck, pick
from app.sandbox.issuers.parameters import table

_YEAR = timedelta(days=365.25)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Card:
    """`seed` names the card, `bank` its issuer. `dies_at` ends it; `renewed_at` is when its updater has told of a new
    number or date, or never. Moments are aware UTC.
    """

    seed: int
    brand: str
    funding: str
    country: str
    bank: str
    exp_month: int
    exp_year: int
    dies_at: datetime
    renewed_at: datetime | None

    @classmethod
    def drawn(cls, seed: int, person: "Holder", parameters: dict[str, Any], since: datetime) -> "Card":
        """A card that its holder has used from `since` on."""
        month = since.year * 12 + since.month - 1 + int(luck(seed, "months") * table("cards")["months_good"])
        dies_at = _death(seed, parameters.get("dies_per_year", 0), since)
        made = cls(
            seed, person.brand, person.funding, person.country, person.bank, month % 12 + 1, month // 12, dies_at, None
        )
        return cls(**{**vars(made), "renewed_at": made._renewal(parameters.get("updater", 0))})

    @property
    def expires_at(self) -> datetime:
        """The end of the month printed on it."""
        last = monthrange(self.exp_year, self.exp_month)[1]
        return datetime(self.exp_year, self.exp_month, last, tzinfo=UTC) + timedelta(days=1)

    def _renewal(self, covered: float) -> datetime | None:
        """When the updater speaks, which covers that share of new numbers: ahead of the date, or after a death."""
        cards = table("cards")
        ahead = self.expires_at - timedelta(days=cards["renewed_ahead_days"])
        if self.dies_at > ahead:
            is_told = covered and luck(self.seed, "updater") < cards["dates_renewed"]
            return ahead if is_told else None
        soonest, latest = cards["replaced_after_days"]
        told_at = self.dies_at + timedelta(days=soonest + (latest - soonest) * luck(self.seed, "replaced"))
        return told_at if luck(self.seed, "updater") < covered else None


@dataclass(frozen=True)
class Holder:
    """Where somebody lives, their bank, and what kind of card they have from it."""

    country: str
    timezone: str
    funding: str
    brand: str
    bank: str

    @classmethod
    def drawn(cls, seed: int, parameters: dict[str, Any]) -> "Holder":
        """One of a segment's people."""
        country, zones = pick(parameters["countries"], seed, "country"), parameters["zones"]
        timezone = zones[country] if country in zones else pick(zones, seed, "zone")
        funding, brand = pick(parameters["funding"], seed, "funding"), pick(parameters["brands"], seed, "brand")
        bank = f"{parameters['title']}|{int(luck(seed, 'bank') * table('banks')['names'])}"
        return cls(country, timezone, funding, brand, bank)


def _death(seed: int, per_year: float, since: datetime) -> datetime:
    """An exponential life from `since` on."""
    if not per_year:
        return _NEVER
    lives = -log(luck(seed, "dies")) / per_year * _YEAR
    return since + lives if lives < timedelta(days=36_500) else _NEVER
