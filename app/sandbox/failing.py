"""Making a customer's renewal happen and fail at this moment, and saying why where it cannot.

A refusal is raised after the renewal has been begun: its caller undoes the transaction.
"""

from typing import Any

from app.money import Money, format_money
from app.sandbox import issuer
from app.sandbox.billing import cycles, invoicing, payments
from app.sandbox.billing.balances import minimum_charge
from app.sandbox.errors import StripeRefusal, missing, wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.periods import moment
from app.sandbox.policy import HOUR
from app.sandbox.store import Doc

ANOTHER = "Choose another customer (`recoup sandbox customers` lists them), or make one (`recoup sandbox customer`)."

_RENEWING = ("active", "trialing", "past_due")


def fail_now(ledger: Ledger, customer: str, script: list[Any], subscription_id: str | None = None) -> Doc:
    """The customer's card begins to answer by `script`, and a renewal is billed and attempted at this moment: that of
    the subscription that is named, else of the newest that would be charged.

    Raises a refusal when there is nothing to renew, or when the renewal would not fail.
    """
    subscription = _to_renew(ledger, customer, subscription_id)
    for method in ledger.linked("payment_method", "customer", customer):
        issuer.set_script(ledger, method["id"], script)
    _renew_at_once(ledger, subscription)
    invoice = ledger.get("invoice", subscription["latest_invoice"])
    if invoice["status"] != "open":
        raise wrong_state(_why_it_did_not_fail(subscription, invoice))
    intent = payments.intent_of(ledger, invoice)
    return {
        "customer": customer,
        "subscription": subscription["id"],
        "invoice": invoice["id"],
        "status": invoice["status"],
        "next_payment_attempt": invoice["next_payment_attempt"],
        "charge": intent and intent["latest_charge"],
    }


def _to_renew(ledger: Ledger, customer: str, named: str | None) -> Doc:
    """The newest subscription whose renewal would be charged, else the newest that renews at all."""
    owner = ledger.find("customer", customer)
    if owner is None or owner.get("deleted"):
        gone = "was deleted" if owner else "is not known"
        raise StripeRefusal(404, f"The customer {customer!r} {gone}. {ANOTHER}", code="resource_missing")
    subscriptions = ledger.linked("subscription", "customer", customer)
    if named is not None:
        subscriptions = [entry for entry in subscriptions if entry["id"] == named]
        if not subscriptions:
            raise missing("subscription", named, "subscription")
    if not subscriptions:
        raise wrong_state(f"{customer} has no subscription, so nothing can be renewed. {ANOTHER}")
    obstacles = [_obstacle(subscription, ledger.now) for subscription in subscriptions]
    renewing = [entry for entry, obstacle in zip(subscriptions, obstacles, strict=True) if obstacle is None]
    if not renewing:
        raise wrong_state(f"The subscription {subscriptions[-1]['id']} {obstacles[-1]}")
    return next((entry for entry in reversed(renewing) if _price(entry).minor), renewing[-1])


def _obstacle(subscription: Doc, now: int) -> str | None:
    """Why this subscription has no renewal that could fail, with what to do about it; None when it has one."""
    if subscription["status"] not in _RENEWING:
        return f"is {subscription['status']} and is not renewed any more. {ANOTHER}"
    if subscription["cancel_at_period_end"]:
        return f"ends with its period and has no further renewal. {ANOTHER}"
    if subscription["pause_collection"]:
        return f"is paused: its renewals are billed and not charged. End its pause, or: {ANOTHER}"
    if subscription["collection_method"] == "send_invoice":
        return f"is paid by invoices that are sent, and no card is charged. {ANOTHER}"
    if subscription["status"] == "trialing" and (subscription["trial_end"] or 0) > now:
        until = moment(subscription["trial_end"])
        return f"is in its trial until {until:%Y-%m-%d %H:%M} UTC. Turn the clock past it (`recoup sandbox advance`)."
    return None


def _price(subscription: Doc) -> Money:
    items = subscription["items"]["data"]
    return Money(
        sum((item["price"]["unit_amount"] or 0) * item["quantity"] for item in items), subscription["currency"]
    )


def _why_it_did_not_fail(subscription: Doc, invoice: Doc) -> str:
    price, total = _price(subscription), Money(invoice["total"], invoice["currency"])
    if invoice["status"] == "paid" and invoice["amount_due"]:
        return "The card's first answer was approve, so the renewal was paid. Begin with a decline code."
    if not price.minor:
        return f"The plan of {subscription['id']} is free: its renewal asks for no money and cannot fail. {ANOTHER}"
    if invoice["starting_balance"] < 0:
        credit = Money(-invoice["starting_balance"], invoice["currency"])
        return f"The customer's credit of {format_money(credit)} pays the renewal; nothing is charged. {ANOTHER}"
    least = Money(minimum_charge(invoice["currency"]), invoice["currency"])
    return (
        f"A renewal of {format_money(total)} is not charged: it waits on the customer's balance until there is at least"
        f" {format_money(least)}. {ANOTHER}"
    )


def _renew_at_once(ledger: Ledger, subscription: Doc) -> None:
    """Bring the period's end and the draft's hour to this moment."""
    start, _ = cycles.period_of(subscription)
    with ledger.changing(subscription):
        subscription["billing_cycle_anchor"] = ledger.now
        for item in subscription["items"]["data"]:
            item.update(current_period_start=min(start, ledger.now - HOUR), current_period_end=ledger.now)
    cycles.renew(ledger, subscription)
    invoice = ledger.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        invoicing.finalize_and_collect(ledger, invoice)
