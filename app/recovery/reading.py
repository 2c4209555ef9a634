"""Asking Stripe how one invoice stands: the invoice, its charges, who owes it and what would be charged.

An event is a hint; this reading is the truth. It happens outside any transaction, and `read_at` is taken before the
first request, so that of two readings the one begun later is the newer.
"""

from dataclasses import dataclass
from datetime import datetime

from app.stripe_gateway.errors import NotFound
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.payment_methods import find_effective_payment_method_id
from app.stripe_gateway.snapshots import (
    ChargeSnapshot,
    CustomerSnapshot,
    InvoiceSnapshot,
    PaymentIntentSnapshot,
    PaymentMethodSnapshot,
    SubscriptionSnapshot,
)


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
    invoice = gateway.get_invoice(invoice_id)
    if invoice.customer_id is None:
        raise NotFound(f"invoice {invoice_id} names no customer")
    customer = gateway.get_customer(invoice.customer_id)
    subscription = gateway.get_subscription(invoice.subscription_id) if invoice.subscription_id else None
    charges: list[ChargeSnapshot] = []
    intent = None
    if invoice.payment_intent_id:
        charges = gateway.list_charges(invoice.payment_intent_id)
        if not charges or charges[-1].status != "succeeded":
            intent = gateway.get_payment_intent(invoice.payment_intent_id)
    payment_method_id = find_effective_payment_method_id(invoice, subscription, customer)
    return Reading(
        read_at=read_at,
        invoice=invoice,
        customer=customer,
        subscription=subscription,
        charges=tuple(charges),
        intent=intent,
        payment_method=_find_payment_method(gateway, payment_method_id),
        payment_method_id=payment_method_id,
    )


def _find_payment_method(gateway: StripeGateway, payment_method_id: str | None) -> PaymentMethodSnapshot | None:
    if payment_method_id is None:
        return None
    try:
        return gateway.get_payment_method(payment_method_id)
    except NotFound:
        return None  # a legacy source, or removed between two reads: the planner works without its card
