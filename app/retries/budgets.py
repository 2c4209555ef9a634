"""How often one card may be charged: rolling counts over everybody's attempts on it.

The networks count what reaches them, whoever sent it and for whichever invoice. Refuses to know which card or whose.
Sources: Visa Core Rules 18 April 2026, table 7-2 (20 tries in 30 days; Stripe acts on 15); Mastercard Excessive
Authorization Attempts (10 declines in 24 hours, 35 of one amount in 30 days). Our own cap lies under all of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.retries.declines import NETWORK_OF_BRAND
from app.retries.facts import Card, RetryPolicy


@dataclass(frozen=True)
class Budget:
    """At most `cap` uses in any `window`; `uses` are past moments, oldest first."""

    name: str
    cap: int
    window: timedelta
    uses: tuple[datetime, ...]

    def used(self, at: datetime) -> int:
        """How many uses count at the moment `at`."""
        return sum(1 for use in self.uses if at - self.window < use <= at)

    def free_from(self) -> datetime | None:
        """The first moment at which one more use fits, None if it fits already after the last use."""
        return self.uses[-self.cap] + self.window if len(self.uses) >= self.cap else None


def budgets(card: Card | None, uses: tuple[datetime, ...], policy: RetryPolicy) -> tuple[Budget, ...]:
    """The budgets that hold for a card with these uses, ours first."""
    network = NETWORK_OF_BRAND.get((card.brand or "").lower()) if card else None
    month, day = timedelta(days=30), timedelta(hours=24)
    ours = Budget("card_30d", policy.per_card_30d, month, uses)
    if network == "visa":
        return ours, Budget("visa_30d", policy.visa_30d, month, uses)
    if network == "mastercard":
        return ours, Budget("mastercard_24h", policy.mastercard_24h, day, uses)
    return (ours,)
