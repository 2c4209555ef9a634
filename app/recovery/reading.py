"""Asking Stripe how one invoice stands: the invoice, its charges, who owes it and what would be charged.

An event is a hint; this reading is the truth. It happens outside any transaction, and `read_at` is taken before the
first request, so that of two readings the one begun later is the newer. What a server in Stripe's place does not have
is left out or pieced together from the rest; the invoice and its customer are what a reading cannot be without.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from app.log import get_logger
from app.stripe_gateway.errors import LACKING, GatewayError, NotFound
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.payment_methods import find_effective_payment_method_id
from app.stripe_gateway.readers import merge_signals
from app.stripe_gateway.snapshots import (
    ChargeSnapshot,
    CustomerSnapshot,
    InvoiceSnapshot,
    PaymentIntentSnapshot,
    PaymentMethodSnapshot,
    Signals,
    SubscriptionSnapshot,
)

log = get_logger(__name__)
T = TypeVar("T")
CLOCKS_DIFFER = timedelta(hours=1)  # more than two machines ever do
BEFORE_STRIPE = datetime(2010, 1, 1, tzinfo=UTC)
WANTS_ANOTHER_TRY = ("requires_payment_method", "requires_source")


@dataclass(frozen=True)
class Reading:
    """One invoice and all around it, read at `read_at`. `charges` are in the order they were made."""

    read_at: datetime
    invoice: InvoiceSnapshot
    customer: CustomerSnapshot
    subscription: SubscriptionSnapshot | None
    charges: tuple[ChargeSnapshot, ...]
    intent: PaymentIntentSnapshot | None
    payment_method: PaymentMethodSnapshot | None
    payment_method_id: str | None


def read_invoice(gateway: StripeGateway, invoice_id: str, read_at: datetime) -> Reading:
    """Read an invoice with all its surroundings; raises `GatewayError` (`NotFound` when the invoice is gone)."""
    bill = gateway.get_bill(invoice_id)
    invoice = bill.invoice
    if invoice.customer_id is None:
        raise NotFound(f"invoice {invoice_id} names no customer")
    customer = bill.customer or gateway.get_customer(invoice.customer_id)
    subscription = bill.subscription or _find_subscription(gateway, invoice.subscription_id)
    charges = [_dated(charge, read_at) for charge in _find_charges(gateway, invoice)]
    is_charged = bool(charges) and charges[-1].status == "succeeded"
    intent = None if is_charged else bill.intent or _find_intent(gateway, invoice.payment_intent_id)
    if intent and not charges and intent.status in WANTS_ANOTHER_TRY and intent.signals != Signals():
        charges = [_failure_told_by(intent, invoice, read_at)]
    elif intent and charges and _tells_more(intent, charges[-1]):
        charges[-1] = replace(charges[-1], signals=merge_signals(charges[-1].signals, intent.signals))
    payment_method_id = find_effective_payment_method_id(invoice, subscription, customer)
    brought = bill.payment_method if bill.payment_method and bill.payment_method.id == payment_method_id else None
    return Reading(
        read_at=read_at,
        invoice=invoice,
        customer=customer,
        subscription=subscription,
        charges=tuple(charges),
        intent=intent,
        payment_method=brought or _find_payment_method(gateway, payment_method_id),
        payment_method_id=payment_method_id,
    )


def _dated(charge: ChargeSnapshot, read_at: datetime) -> ChargeSnapshot:
    """A charge of a customer on one of Stripe's test clocks may be dated years ahead, and an imitation's bears no date
    at all; here both were made when seen."""
    is_possible = BEFORE_STRIPE < charge.created <= read_at + CLOCKS_DIFFER
    return charge if is_possible else replace(charge, created=read_at)


def _find_charges(gateway: StripeGateway, invoice: InvoiceSnapshot) -> list[ChargeSnapshot]:
    try:
        if invoice.payment_intent_id:
            return gateway.list_charges(invoice.payment_intent_id)
        return [gateway.get_charge(invoice.charge_id)] if invoice.charge_id else []
    except LACKING as lack:
        return _without("charges", lack, [])


def _find_intent(gateway: StripeGateway, payment_intent_id: str | None) -> PaymentIntentSnapshot | None:
    try:
        return gateway.get_payment_intent(payment_intent_id) if payment_intent_id else None
    except LACKING as lack:
        return _without("payment_intent", lack, None)


def _find_subscription(gateway: StripeGateway, subscription_id: str | None) -> SubscriptionSnapshot | None:
    try:
        return gateway.get_subscription(subscription_id) if subscription_id else None
    except LACKING as lack:
        return _without("subscription", lack, None)


def _find_payment_method(gateway: StripeGateway, payment_method_id: str | None) -> PaymentMethodSnapshot | None:
    """The card in force; a legacy source, or one removed between two reads, leaves the planner to work without it."""
    try:
        return gateway.get_payment_method(payment_method_id) if payment_method_id else None
    except LACKING as lack:
        return _without("payment_method", lack, None)


def _without(part: str, lack: GatewayError, nothing: T) -> T:
    """Go on without a part of a reading; whatever merely cannot be asked right now is raised, and read again later."""
    log.info("reading.incomplete", part=part, status=lack.status, code=lack.code)
    return nothing


def _tells_more(intent: PaymentIntentSnapshot, newest: ChargeSnapshot) -> bool:
    """Whether the intent remembers the failure of a charge that bears no outcome (the field may be null)."""
    is_of_it = intent.latest_charge_id in (None, newest.id)
    return is_of_it and newest.status == "failed" and newest.signals.outcome_type is None


def _failure_told_by(intent: PaymentIntentSnapshot, invoice: InvoiceSnapshot, read_at: datetime) -> ChargeSnapshot:
    """The failed charge that nobody can show, from what the intent remembers of it; seen at `read_at`."""
    return ChargeSnapshot(
        id=intent.latest_charge_id or intent.id,
        payment_intent_id=intent.id,
        payment_method_id=intent.payment_method_id,
        amount=invoice.amount_remaining,
        currency=invoice.currency,
        status="failed",
        created=read_at,
        signals=intent.signals,
        card=intent.card,
        disputed=False,
        refunded_amount=0,
    )
