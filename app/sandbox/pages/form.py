"""The choice of a test card that every page offers, and reading it back."""

from flask import request

from app.sandbox import cards
from app.sandbox.ledger import Ledger
from app.sandbox.resources.payment_methods import card_by_number, method_of, usable_method
from app.sandbox.store import Doc

CHOICES = (
    ("pm_card_visa", "Visa 4242, works"),
    ("pm_card_mastercard", "Mastercard 4444, works"),
    ("pm_card_visa_debit", "Visa debit 5556, works"),
    ("pm_card_chargeDeclinedInsufficientFunds", "Visa 9995, saved but then has no funds"),
    ("pm_card_chargeCustomerFail", "Visa 0341, saved but then declined"),
    ("pm_card_chargeDeclinedExpiredCard", "Visa 0069, saved but then expired"),
    ("pm_card_authenticationRequired", "Visa 3184, wants 3-D Secure at each payment"),
    ("pm_card_authenticationRequiredOnSetup", "Visa 3155, wants 3-D Secure when it is saved"),
    ("pm_card_chargeDeclined", "Visa 0002, declined"),
)

# Stripe's own pages decline or ask for these when they are saved, and so does this one when their number is typed in.
# Chosen from the list they are saved without a question, because a story needs a card that fails later.
_SAVED_ALL_THE_SAME = frozenset(token for token, label in CHOICES if "saved but" in label or "each payment" in label)


def chosen_method(ledger: Ledger) -> Doc:
    """A new payment method for the card the payer chose; a number wins over the list.

    Raises the refusal of a bad number.
    """
    number = request.form.get("number", "").strip()
    if number:
        return method_of(ledger, card_by_number(number))
    token = request.form.get("card", "pm_card_visa")
    method = usable_method(ledger, token if token in cards.BY_TOKEN else "pm_card_visa")
    if token in _SAVED_ALL_THE_SAME:
        conduct = ledger.get("_conduct", method["id"])
        ledger.save({**conduct, "at_setup": cards.APPROVE, "once_saved": []}, "_conduct")
    return method


def entered() -> Doc:
    """What to show in the form again after a refusal."""
    return {
        "cards": CHOICES,
        "chosen": request.form.get("card", "pm_card_visa"),
        "number": request.form.get("number", ""),
    }


def pressed() -> str:
    """Which button sent the form."""
    return request.form.get("answer", "pay")


def wants_another_card() -> bool:
    """Whether the payer would rather choose another card than confirm this one."""
    return request.method == "GET" and request.args.get("card") == "another"
