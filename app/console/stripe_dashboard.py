"""Addresses in Stripe's own dashboard. Knows only how Stripe writes them."""

from app.models import Connection
from app.settings import Settings

_PLACES = {"in_": "invoices", "cus_": "customers", "sub_": "subscriptions", "pi_": "payments", "ch_": "payments"}


def dashboard_url(settings: Settings, connection: Connection, stripe_id: str | None) -> str | None:
    """Where a person sees this object at Stripe; None in a sandbox, whose pretend Stripe has no dashboard."""
    place = next((place for prefix, place in _PLACES.items() if (stripe_id or "").startswith(prefix)), None)
    if settings.stripe_api_base or settings.sandbox or place is None:
        return None
    mode = "" if connection.livemode else "test/"
    return f"https://dashboard.stripe.com/{connection.account_id}/{mode}{place}/{stripe_id}"
