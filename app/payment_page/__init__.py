"""The customer's page behind the signed link: what is owed, one button that settles it, and the honest outcome.

Shows rows and asks `app.recovery` to act; decides nothing about charging. No sign-in, no cookie, no script, and nobody
is named beyond the merchant and a first name.
"""

from app.payment_page import asking, card, fresh_link, pages, problems
from app.payment_page.blueprint import payment_page

__all__ = ["asking", "card", "fresh_link", "pages", "payment_page", "problems"]
