"""Where a customer's clock hangs: their own zone, else the one of their country, else their merchant's.

The same order as the retry planner's (`app.retries.moments`), so that mails and charges keep to one clock.
"""

from datetime import UTC, tzinfo
from functools import lru_cache

from app.models import Customer, Organization
from app.retries.calendars import find_zone
from app.retries.prior import read_table


def zone_of(customer: Customer, organization: Organization, card_country: str | None = None) -> tzinfo:
    """The zone in which `customer` sleeps. `card_country` (ISO 3166 alpha-2) helps where no address does."""
    country = (customer.country or card_country or "").upper()
    return find_zone(customer.timezone) or find_zone(_zones().get(country)) or find_zone(organization.timezone) or UTC


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    return {row["country"]: row["zone"] for row in read_table("countries")}
