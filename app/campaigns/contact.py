"""How people may be written to, and what the page behind their link offers them. Values only; others keep to them."""

from datetime import time
from typing import Literal

from pydantic import Field, model_validator

from app.campaigns.strict import Strict
from app.vocabulary import DebtAfterwards


class ContactRules(Strict):
    """At most how much one person is written to, over all of their debts.

    `gap_hours` lie between two mails that ask for money, and `max_per_week` of them go in seven days. None goes from
    `quiet_from` to `quiet_until` on the customer's own clock; the same time twice means that no hour is quiet.
    """

    gap_hours: float = Field(20, ge=1, le=336)
    max_per_week: int = Field(3, ge=1, le=14)
    quiet_from: time = time(21, 0)
    quiet_until: time = time(8, 0)

    @model_validator(mode="after")
    def _clock_times(self) -> "ContactRules":
        if self.quiet_from.tzinfo or self.quiet_until.tzinfo:
            raise ValueError("quiet hours are on the customer's own clock: leave the zone away, as in 21:00")
        return self


class RetentionOffer(Strict):
    """What a customer may choose on the page instead of paying: a pause of `months`, a smaller plan, or the end.

    A price has one currency, so a downgrade names one price for each currency it is billed in (lower-case ISO). `debt`
    says what becomes of the open invoice: one that is kept lets a subscription run to the end of its period.
    """

    kind: Literal["pause", "downgrade", "cancel"]
    months: int | None = Field(None, ge=1, le=12)
    prices: dict[str, str] = Field(default_factory=dict)
    debt: DebtAfterwards = DebtAfterwards.KEEP

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> "RetentionOffer":
        if (self.kind == "pause") != (self.months is not None):
            raise ValueError("give a pause its months (1 to 12), and give months to nothing else")
        if (self.kind == "downgrade") != bool(self.prices):
            raise ValueError("give a downgrade its prices (currency to price id), and give prices to nothing else")
        return self


class PageOffers(Strict):
    """What the customer's page offers besides using another card, which it always does."""

    pick_a_day: bool = True
    pay_now: bool = True
    wrong_invoice: bool = True
    billing_contact: bool = True
    payment_element: bool = False
    retention: tuple[RetentionOffer, ...] = ()

    @model_validator(mode="after")
    def _one_of_a_kind(self) -> "PageOffers":
        kinds = [offer.kind for offer in self.retention]
        if len(set(kinds)) != len(kinds):
            raise ValueError("offer each of pause, downgrade and cancel at most once")
        return self
