"""A card on its way to being saved: its issuer is asked, and may decline or want its holder to confirm (3-D Secure).

Source: Stripe's documentation of its test cards. No charge is made; the SetupIntent tells what came of it.
"""

from app.sandbox import issuer
from app.sandbox.billing.declined import card_error
from app.sandbox.cards import APPROVE, AUTHENTICATE
from app.sandbox.declines import Decline, decline
from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.resources.payment_methods import attached
from app.sandbox.store import Doc


def try_card(ledger: Ledger, intent: Doc, method: Doc, return_url: str | None = None) -> None:
    """Ask the issuer. Afterwards the intent has succeeded or requires action; raises the 402 of a decline."""
    answer = (ledger.find("_conduct", method["id"]) or {}).get("at_setup", APPROVE)
    if answer == AUTHENTICATE:
        _ask_holder(ledger, intent, method, return_url)
    elif answer == APPROVE:
        _succeed(ledger, intent, method)
    else:
        raise _failed(ledger, intent, method, decline(answer))


def confirm(ledger: Ledger, intent: Doc) -> Doc:
    """The holder confirmed with the bank: the card is saved. Returns it."""
    method = ledger.get("payment_method", intent["payment_method"])
    script = (ledger.find("_conduct", method["id"]) or {}).get("once_saved")
    if script:
        issuer.set_script(ledger, method["id"], script)
    _succeed(ledger, intent, method)
    return method


def refuse(ledger: Ledger, intent: Doc) -> StripeRefusal:
    """The holder did not confirm: the intent wants another card. The refusal says so."""
    method = ledger.get("payment_method", intent["payment_method"])
    refusal = StripeRefusal(
        402,
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
        kind="card_error",
        keeps_effects=True,
        code="setup_intent_authentication_failure",
    )
    _give_up(ledger, intent, {**refusal.error, "payment_method": method})
    return refusal


def _succeed(ledger: Ledger, intent: Doc, method: Doc) -> None:
    if intent["customer"]:
        attached(ledger, method, intent["customer"])
    with ledger.changing(intent):
        intent.update(status="succeeded", payment_method=method["id"], next_action=None, last_setup_error=None)
    ledger.emit("setup_intent.succeeded", intent)


def _ask_holder(ledger: Ledger, intent: Doc, method: Doc, return_url: str | None) -> None:
    page = {"return_url": return_url, "url": f"{ledger.base_url}/3ds/{intent['id']}"}
    with ledger.changing(intent):
        intent.update(
            status="requires_action",
            payment_method=method["id"],
            last_setup_error=None,
            next_action={"type": "redirect_to_url", "redirect_to_url": page},
        )
    ledger.emit("setup_intent.requires_action", intent)


def _failed(ledger: Ledger, intent: Doc, method: Doc, declined: Decline) -> StripeRefusal:
    _give_up(ledger, intent, {**declined.error(), "payment_method": method})
    return card_error(declined, setup_intent=intent, payment_method=method)


def _give_up(ledger: Ledger, intent: Doc, error: Doc) -> None:
    with ledger.changing(intent):
        intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error)
    ledger.emit("setup_intent.setup_failed", intent)
