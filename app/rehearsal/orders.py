"""What is to be rehearsed, as plain values that can be handed to another process. Knows no database and no sandbox."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from app.campaigns.definition import CampaignDefinition
from app.campaigns.stored import read_stored
from app.vocabulary import ConnectionMode


@dataclass(frozen=True)
class Person:
    """An invented customer whose renewal fails `fails_after_seconds` into the rehearsal.

    `amount` is in minor units of `currency`. `segment` and `seed` name the payer of the sandbox's issuers behind the
    card, `seed` also who reads the mails; `script` is what the card is told to answer instead, mostly nothing.
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
    segment: str
    seed: int
    fails_after_seconds: int
    script: tuple[str | dict[str, str], ...] = ()


@dataclass(frozen=True)
class Order:
    """One rehearsal, or one process's share of it.

    `organization` has the columns of the tenant that mails show; `prices` says what each price of a downgrade is
    called and costs, by its id; `knowledge` has the columns of what the planner has learnt from the organization's
    cases, where it has learnt anything.
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
    knowledge: dict[str, Any] | None = None
    wordings: dict[str, dict[str, str]] = field(default_factory=dict)

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
    people = tuple(Person(**{**person, "script": tuple(person["script"])}) for person in plain["people"])
    return Order(**{**given, "people": people})
