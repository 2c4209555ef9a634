"""How a subscription and its customer stand after a payment worked or failed."""

from app.sandbox.billing.payments import subscription_of
from app.sandbox.ledger import Ledger
from app.sandbox.store import Doc

ENDED = ("canceled", "incomplete_expired")
TIMERS = ("renew", "cancel", "resume", "trial", "incomplete", "upcoming")
INVOICE_TIMERS = ("collect", "finalize", "will_be_due", "due", "deadline")


def fall_behind(ledger: Ledger, invoice: Doc) -> None:
    """A renewal failed, or its due date passed: the subscription is past due, the customer delinquent.

    Told before the failure is.
    """
    subscription = ledger.find("subscription", subscription_of(invoice))
    if subscription and subscription["status"] in ("active", "trialing"):
        with ledger.changing(subscription, "customer.subscription.updated"):
            subscription["status"] = "past_due"
    customer = ledger.get("customer", invoice["customer"])
    if not customer.get("deleted"):
        with ledger.changing(customer, "customer.updated"):
            customer["delinquent"] = True


def catch_up(ledger: Ledger, invoice: Doc) -> None:
    """A paid invoice re-activates its subscription when it is the latest one. Any paid invoice ends delinquency."""
    subscription = ledger.find("subscription", subscription_of(invoice))
    latest = subscription is not None and subscription["latest_invoice"] == invoice["id"]
    if subscription and latest and subscription["status"] in ("past_due", "unpaid", "incomplete"):
        with ledger.changing(subscription, "customer.subscription.updated"):
            subscription["status"] = "active"
        ledger.set_timer("incomplete", subscription["id"], None)
    forgive(ledger, invoice)


def forgive(ledger: Ledger, invoice: Doc) -> None:
    """Paying any invoice, or writing it off through the API, ends the customer's delinquency, whatever else is owed.

    Source: the description of `delinquent` in Stripe's OpenAPI document.
    """
    customer = ledger.get("customer", invoice["customer"])
    if not customer.get("deleted"):
        with ledger.changing(customer, "customer.updated"):
            customer["delinquent"] = False


def give_up(ledger: Ledger, invoice: Doc, end_behavior: str) -> None:
    """Nothing more will be tried: what the account's settings say becomes of the subscription."""
    subscription = ledger.find("subscription", subscription_of(invoice))
    if subscription is None or subscription["status"] != "past_due":
        return
    if end_behavior == "cancel":
        end(ledger, subscription, "payment_failed")
    elif end_behavior == "unpaid":
        with ledger.changing(subscription, "customer.subscription.updated"):
            subscription["status"] = "unpaid"


def end(
    ledger: Ledger, subscription: Doc, reason: str, comment: str | None = None, feedback: str | None = None
) -> None:
    """Cancel at once. Open and draft invoices stay, but nobody collects them any more."""
    for timer in TIMERS:
        ledger.set_timer(timer, subscription["id"], None)
    for status in ("open", "draft"):
        for invoice in ledger.linked("invoice", "subscription", subscription["id"], status):
            stop_collecting(ledger, invoice)
    with ledger.changing(subscription):
        subscription.update(
            status="canceled", canceled_at=subscription["canceled_at"] or ledger.now, ended_at=ledger.now
        )
        details = subscription["cancellation_details"]
        details["reason"] = details["reason"] or reason
        details["comment"] = comment or details["comment"]
        details["feedback"] = feedback or details["feedback"]
    ledger.emit("customer.subscription.deleted", subscription)


def stop_collecting(ledger: Ledger, invoice: Doc) -> None:
    """No more automatic work on this invoice."""
    for timer in ("collect", "finalize"):
        ledger.set_timer(timer, invoice["id"], None)
    with ledger.changing(invoice, "invoice.updated"):
        invoice.update(auto_advance=False, next_payment_attempt=None, automatically_finalizes_at=None)
