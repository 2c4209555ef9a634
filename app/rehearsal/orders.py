"""What is to be rehearsed, as plain values that can be handed to another process. Knows no database and no sandbox."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from app.campaigns.definition import CampaignDefinition
from app.campaigns.stored import read_stored
from app.vocabulary import ConnectionMode


@dataclass(frozen=True)
class Person:
    """An invented customer whose renewal fails `fails_after_hours` into the rehearsal.

    `amount` is in minor units of `currency`. `cause` is the hidden reason, a word of `payers.CAUSES`; `signals` is what
    the issuer says at first: `decline_code` and, where there is one, `network_advice_code`.
    """

    name: str
    email: str
    country: str
    timezone: str
    locale: str
    currency: str
    amount: int
    interval: str
    plan: str
    brand: str
    funding: str
    card_country: str
    cause: str
    signals: dict[str, str]
    fails_after_hours: float
    seed: int


@dataclass(frozen=True)
class Order:
    """One rehearsal, or one process's share of it.

    `organization` has the columns of the tenant that mails show; `prices` says what each price of a downgrade is
    called and costs, by its id.
    """

    campaign: str
    slug: str
    version: int
    definition: dict[str, Any]
    organization: dict[str, Any]
    mode: str
    begins: datetime
    days: int
    seed: int
    people: tuple[Person, ...]
    population: str
    prices: dict[str, dict[str, Any]] = field(default_factory=dict)
    coverage: tuple[str, ...] = ()

    @property
    def content(self) -> CampaignDefinition:
        """The campaign's definition, typed."""
        return read_stored(self.definition)

    @property
    def connection_mode(self) -> ConnectionMode:
        """Who retries: Recoup or Stripe."""
        return ConnectionMode(self.mode)

    def plain(self) -> dict[str, Any]:
        """The same for JSON."""
        return {**asdict(self), "begins": self.begins.isoformat()}


def read_order(plain: dict[str, Any]) -> Order:
    """The order that `plain` made plain."""
    given = {**plain, "begins": datetime.fromisoformat(plain["begins"]), "coverage": tuple(plain["coverage"])}
    return Order(**{**given, "people": tuple(Person(**person) for person in plain["people"])})
