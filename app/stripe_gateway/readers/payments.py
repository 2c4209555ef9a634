"""Reads charges, payment intents, payment methods, cards and decline signals, whatever version wrote them."""

from dataclasses import fields
from typing import Any

from app.stripe_gateway.readers.fields import Json, flag, moment, moment_or_epoch, reference, rows, table, text, whole
from app.stripe_gateway.snapshots import (
    CardSnapshot,
    ChargeSnapshot,
    PaymentIntentSnapshot,
    PaymentMethodSnapshot,
    Signals,
)

# Card objects of the Sources era spell brands as on the card; payment methods spell them as one word.
_OLD_BRANDS = {"american express": "amex", "diners club": "diners", "union pay": "unionpay"}


def read_card(data: Any) -> CardSnapshot | None:
    """A card from `payment_method.card`, `payment_method_details.card` or a card object of its own, else None."""
    if not isinstance(data, dict):
        return None
    brand = (text(data, "brand") or text(data, "type") or "").lower()
    return CardSnapshot(
        brand=_OLD_BRANDS.get(brand, brand) or None,
        funding=text(data, "funding"),
        country=text(data, "country"),
        fingerprint=text(data, "fingerprint"),
        last4=text(data, "last4"),
        exp_month=whole(data, "exp_month"),
        exp_year=whole(data, "exp_year"),
    )


def read_payment_method(data: Json) -> PaymentMethodSnapshot:
    """A payment method, or the legacy card or source that still plays its part."""
    if text(data, "object") == "card":
        return PaymentMethodSnapshot(
            id=text(data, "id") or "",
            customer_id=reference(data, "customer"),
            type="card",
            card=read_card(data),
            billing_country=text(data, "address_country"),
        )
    billing = table(data, "billing_details") or table(data, "owner")
    return PaymentMethodSnapshot(
        id=text(data, "id") or "",
        customer_id=reference(data, "customer"),
        type=text(data, "type") or "unknown",
        card=read_card(table(data, "card")),
        billing_country=text(billing, "address", "country"),
        created=moment(data, "created"),
    )


def read_error_signals(error: Any) -> Signals:
    """Signals of an error body, or of `payment_intent.last_payment_error`, which has the same fields."""
    return Signals(
        code=text(error, "code"),
        decline_code=text(error, "decline_code"),
        advice_code=text(error, "advice_code"),
        network_decline_code=text(error, "network_decline_code"),
        network_advice_code=text(error, "network_advice_code"),
    )


def read_charge_signals(charge: Any) -> Signals:
    """Signals of a charge. An issuer's decline code is repeated as the outcome's reason; a block is no decline code."""
    outcome = table(charge, "outcome")
    failed = text(charge, "status") == "failed" or text(charge, "failure_code") is not None
    declined = failed and text(outcome, "type") == "issuer_declined"
    return Signals(
        code=text(charge, "failure_code"),
        decline_code=text(outcome, "reason") if declined else None,
        advice_code=text(outcome, "advice_code"),
        network_decline_code=text(outcome, "network_decline_code"),
        network_advice_code=text(outcome, "network_advice_code"),
        outcome_type=text(outcome, "type"),
        outcome_reason=text(outcome, "reason"),
        network_status=text(outcome, "network_status"),
    )


def merge_signals(first: Signals, second: Signals) -> Signals:
    """`first`, completed by `second` where it is silent."""
    return Signals(*(getattr(first, part.name) or getattr(second, part.name) for part in fields(Signals)))


def read_charge(data: Json) -> ChargeSnapshot:
    """A charge; before payment methods its card was in `source`."""
    source = table(data, "source")
    card = table(data, "payment_method_details", "card") or (source if text(source, "object") == "card" else None)
    return ChargeSnapshot(
        id=text(data, "id") or "",
        payment_intent_id=reference(data, "payment_intent"),
        payment_method_id=reference(data, "payment_method") or reference(data, "source"),
        amount=whole(data, "amount") or 0,
        currency=(text(data, "currency") or "").lower(),
        status=text(data, "status") or ("succeeded" if flag(data, "paid") else "failed"),
        created=moment_or_epoch(data, "created"),
        signals=read_charge_signals(data),
        card=read_card(card),
        disputed=flag(data, "disputed") or reference(data, "dispute") is not None,
        refunded_amount=whole(data, "amount_refunded") or 0,
    )


def read_latest_charge(intent: Any) -> Json | None:
    """The newest charge of a payment intent where it is expanded, or listed as before 2022-11-15; else None."""
    listed = sorted(rows(intent, "charges"), key=lambda charge: whole(charge, "created") or 0)
    return table(intent, "latest_charge") or (listed[-1] if listed else None)


def read_payment_intent(data: Json) -> PaymentIntentSnapshot:
    """A payment intent with the signals of its last failure, if any."""
    error = table(data, "last_payment_error")
    charge = read_latest_charge(data)
    method = table(error, "payment_method") or table(data, "payment_method")
    return PaymentIntentSnapshot(
        id=text(data, "id") or "",
        status=text(data, "status") or "unknown",
        latest_charge_id=reference(data, "latest_charge") or text(charge, "id") or reference(error, "charge"),
        signals=merge_signals(read_error_signals(error), read_charge_signals(charge)),
        next_action_type=text(data, "next_action", "type"),
        payment_method_id=reference(data, "payment_method") or reference(error, "payment_method"),
        card=read_card(table(method, "card")),
    )
