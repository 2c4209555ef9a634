"""Where a customer's clock hangs: their own zone, else the one of their country, else their merchant's.

The same order as the retry planner's (`app.retries.moments`), so that mails and charges keep to one clock.
"""

from datetime import UTC, tzinfo
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Customer, Organization, PaymentMethod
from app.retries.calendars import find_zone
from app.retries.prior import read_table


def zone_of(customer: Customer, organization: Organization, card_country: str | None = None) -> tzinfo:
    """The zone in which `customer` sleeps. `card_country` (ISO 3166 alpha-2) helps where no address does."""
    country = (customer.country or card_country or "").upper()
    return find_zone(customer.timezone) or find_zone(_zones().get(country)) or find_zone(organization.timezone) or UTC


def read_zone(session: Session, customer: Customer, organization: Organization) -> tzinfo:
    """The zone in which `customer` sleeps and reads dates, with the country of their card where no address helps."""
    if customer.timezone or customer.country:
        return zone_of(customer, organization)
    card_country = select(PaymentMethod.country).where(
        PaymentMethod.connection_id == customer.connection_id,
        PaymentMethod.stripe_id == (customer.default_payment_method_id or customer.default_source_id),
    )
    return zone_of(customer, organization, session.scalar(card_country))


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    return {row["country"]: row["zone"] for row in read_table("countries")}
