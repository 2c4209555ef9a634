"""One charge on one invoice's PaymentIntent.

It knows nothing of schedules, subscriptions or what a failure leads to.
"""

from app.sandbox import fingerprints, issuer, policy
from app.sandbox.declines import Decline
from app.sandbox.ids import random_text
from app.sandbox.issuer import NeedsAuthentication, Verdict
from app.sandbox.ledger import Ledger
from app.sandbox.shapes.invoice import new_invoice_payment
from app.sandbox.shapes.payment import APPROVED_OUTCOME, new_charge, new_intent
from app.sandbox.store import Doc

FOLLOW_UP_AFTER = 60  # seconds from a charge to the dispute or the warning that some test cards bring


def method_for(ledger: Ledger, invoice: Doc) -> Doc | None:
    """The payment method Stripe would charge: the invoice's own, the subscription's, the customer's; or None."""
    subscription = ledger.find("subscription", subscription_of(invoice)) or {}
    customer = ledger.get("customer", invoice["customer"])
    wanted = (
        invoice["default_payment_method"],
        subscription.get("default_payment_method"),
        subscription.get("default_source"),
        customer.get("invoice_settings", {}).get("default_payment_method"),
        customer.get("default_source"),
    )
    return ledger.find("payment_method", next((entry for entry in wanted if entry), None))


def subscription_of(invoice: Doc) -> str | None:
    """The id of the subscription that an invoice bills, or None."""
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    subscription: str | None = details.get("subscription")
    return subscription


def payment_of(ledger: Ledger, invoice: Doc) -> Doc | None:
    """The invoice's default payment record, once it has been finalized with something to pay."""
    records = ledger.linked("invoice_payment", "invoice", invoice["id"])
    return records[-1] if records else None


def intent_of(ledger: Ledger, invoice: Doc) -> Doc | None:
    """The invoice's PaymentIntent, or None."""
    record = payment_of(ledger, invoice)
    return ledger.find("payment_intent", record["payment"].get("payment_intent")) if record else None


def open_intent(ledger: Ledger, invoice: Doc) -> None:
    """Prepare the collection of a finalized invoice."""
    intent = ledger.add(new_intent(invoice, ledger.now), "payment_intent.created")
    ledger.save(new_invoice_payment(invoice, intent, ledger.now))


def charge(ledger: Ledger, invoice: Doc, method: Doc, *, authenticated: bool = False) -> Verdict:
    """Ask the issuer once. Every answer but a wish for authentication leaves a new charge on the same PaymentIntent."""
    intent = intent_of(ledger, invoice)
    if intent is None:
        open_intent(ledger, invoice)
        intent = intent_of(ledger, invoice)
    assert intent is not None  # for the type checker: it was opened above
    if method["customer"] is None:  # a card given for this one payment is its payer's all the same
        fingerprints.hold(ledger, method, invoice["customer"])
        ledger.save(method)
    verdict = issuer.ask(ledger, method, authenticated=authenticated)
    if isinstance(verdict, NeedsAuthentication):
        _ask_payer(ledger, intent, invoice, method)
    elif isinstance(verdict, Decline):
        _decline(ledger, intent, method, verdict)
    else:
        _approve(ledger, intent, method)
    return verdict


def refuse_authentication(ledger: Ledger, intent: Doc) -> None:
    """The payer did not confirm: the intent wants another payment method."""
    error = {
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": "The payer did not confirm this payment with their bank.",
        "type": "card_error",
    }
    with ledger.changing(intent):
        method = intent["payment_method"]
        intent["last_payment_error"] = {**error, "payment_method": ledger.find("payment_method", method)}
        intent.update(status="requires_payment_method", next_action=None, payment_method=None)
    ledger.emit("payment_intent.payment_failed", intent)


def invoice_of(ledger: Ledger, intent: Doc) -> Doc | None:
    """The invoice that an intent collects, or None."""
    records = ledger.linked("invoice_payment", "payment_intent", intent["id"])
    return ledger.get("invoice", records[-1]["invoice"]) if records else None


def cancel_intent(ledger: Ledger, invoice: Doc) -> None:
    """The invoice will not be collected by its PaymentIntent any more."""
    record, intent = payment_of(ledger, invoice), intent_of(ledger, invoice)
    if record is None or intent is None or intent["status"] in ("succeeded", "canceled"):
        return
    with ledger.changing(record):
        record["status"] = "canceled"
        record["status_transitions"]["canceled_at"] = ledger.now
    with ledger.changing(intent):
        intent.update(status="canceled", canceled_at=ledger.now, cancellation_reason="void_invoice", next_action=None)
    ledger.emit("payment_intent.canceled", intent)


def _approve(ledger: Ledger, intent: Doc, method: Doc) -> None:
    made = new_charge(intent, method, policy.load(ledger).statement_descriptor, ledger.now)
    made.update(
        amount_captured=intent["amount"],
        balance_transaction=f"txn_1{random_text(23)}",
        captured=True,
        outcome=dict(APPROVED_OUTCOME),
        paid=True,
        status="succeeded",
    )
    ledger.add(made, "charge.succeeded")
    if (ledger.find("_conduct", method["id"]) or {}).get("after"):
        ledger.set_timer("follow_up", made["id"], ledger.now + FOLLOW_UP_AFTER)
    with ledger.changing(intent):
        intent.update(
            amount_received=intent["amount"],
            last_payment_error=None,
            latest_charge=made["id"],
            next_action=None,
            payment_method=method["id"],
            status="succeeded",
        )
    ledger.emit("payment_intent.succeeded", intent)


def _decline(ledger: Ledger, intent: Doc, method: Doc, decline: Decline) -> None:
    made = new_charge(intent, method, policy.load(ledger).statement_descriptor, ledger.now)
    made.update(failure_code=decline.code, failure_message=decline.message, outcome=decline.outcome())
    ledger.add(made, "charge.failed")
    with ledger.changing(intent):
        intent.update(
            last_payment_error={**decline.error(), "charge": made["id"], "payment_method": method},
            latest_charge=made["id"],
            next_action=None,
            payment_method=None,
            status="requires_payment_method",
        )
    ledger.emit("payment_intent.payment_failed", intent)


def _ask_payer(ledger: Ledger, intent: Doc, invoice: Doc, method: Doc) -> None:
    with ledger.changing(intent):
        intent.update(
            last_payment_error=None,
            next_action={
                "type": "redirect_to_url",
                "redirect_to_url": {
                    "return_url": invoice["hosted_invoice_url"],
                    "url": f"{ledger.base_url}/3ds/{intent['id']}",
                },
            },
            payment_method=method["id"],
            status="requires_action",
        )
    ledger.emit("payment_intent.requires_action", intent)
