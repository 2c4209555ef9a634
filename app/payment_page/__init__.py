"""The customer's page behind the signed link: what is owed, one button that settles it, and the honest outcome.

Shows rows and asks `app.recovery` to act; decides nothing about charging. No sign-in, no cookie, nobody named beyond
the merchant and a first name, and no script but Stripe's own on the one page with their form.
"""

from app.payment_page import asking, card, contact, day, element, fresh_link, instead, logo, pages, problems, wrong
from app.payment_page.blueprint import payment_page

__all__ = [
    "asking",
    "card",
    "contact",
    "day",
    "element",
    "fresh_link",
    "instead",
    "logo",
    "pages",
    "payment_page",
    "problems",
    "wrong",
]
