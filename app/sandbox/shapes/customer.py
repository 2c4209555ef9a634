"""Customers, payment methods, products and prices."""

from typing import Any

from app.sandbox import cards, ids

Doc = dict[str, Any]


def new_customer(now: int, **fields: Any) -> Doc:
    """A customer without a card."""
    return {
        "id": ids.new("cus"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": ids.random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
        **fields,
    }


def new_card_method(card: cards.TestCard, exp_month: int, exp_year: int, now: int, **fields: Any) -> Doc:
    """A payment method of type `card`, not yet attached."""
    return {
        "id": ids.new("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": new_billing_details(),
        "card": cards.face(card, exp_month, exp_year),
        "created": now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        **fields,
    }


def new_billing_details(**fields: Any) -> Doc:
    """Empty billing details."""
    return {
        "address": {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None},
        "email": None,
        "name": None,
        "phone": None,
        "tax_id": None,
        **fields,
    }


def new_product(name: str, now: int, **fields: Any) -> Doc:
    """Something that is sold."""
    return {
        "id": ids.new("prod"),
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "unit_label": None,
        "updated": now,
        "url": None,
        **fields,
    }


def new_price(
    product: str, currency: str, unit_amount: int, recurring: tuple[str, int] | None, now: int, **fields: Any
) -> Doc:
    """A price in minor units; `recurring` is an interval and a count, or None for a one-time price."""
    return {
        "id": ids.new("price"),
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": recurring
        and {
            "interval": recurring[0],
            "interval_count": recurring[1],
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        },
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": str(unit_amount),
        **fields,
    }
