"""What card brands are called where people read them. Rules of networks are not here, nor what else a card is."""

NAMES = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos Australia",
    "elo": "Elo",
    "girocard": "girocard",
    "interac": "Interac",
    "jcb": "JCB",
    "link": "Link",
    "mastercard": "Mastercard",
    "rupay": "RuPay",
    "unionpay": "UnionPay",
    "visa": "Visa",
}
"""By Stripe's word for the brand (https://docs.stripe.com/api/payment_methods/object, `card.brand`), as each brand
writes its own name."""

UNKNOWN = "unknown"


def brand_name(brand: str | None) -> str | None:
    """The brand's own name; a brand that Stripe has added since, with capitals. None where there is none to name."""
    word = (brand or "").strip()
    if not word or word.lower() == UNKNOWN:
        return None
    return NAMES.get(word.lower()) or word.replace("_", " ").title()
