"""Refunds, disputes and early fraud warnings."""

from typing import Any

from app.sandbox import ids

Doc = dict[str, Any]

_DAY = 86_400
_EVIDENCE_DAYS = 14


def new_refund(charge: Doc, amount: int, reason: str | None, metadata: dict[str, str], now: int) -> Doc:
    """A refund that has reached the card; `amount` in minor units."""
    return {
        "id": ids.new("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": f"txn_1{ids.random_text(23)}",
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "destination_details": {
            "type": "card",
            "card": {
                "reference": str(now),
                "reference_status": "available",
                "reference_type": "acquirer_reference_number",
                "type": "refund",
            },
        },
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


_EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal"
    " customer_communication customer_email_address customer_name customer_purchase_ip customer_signature"
    " duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt"
    " refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation"
    " shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number"
    " uncategorized_file uncategorized_text"
).split()


def new_dispute(charge: Doc, reason: str, now: int, *, inquiry: bool = False) -> Doc:
    """A dispute of a whole charge that waits for evidence; an `inquiry` asks before any money is taken back."""
    nothing: dict[str, Any] = dict.fromkeys(_EVIDENCE)
    card = charge["payment_method_details"]["card"]
    return {
        "id": ids.new("dp"),
        "object": "dispute",
        "amount": charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**nothing, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + _EVIDENCE_DAYS * _DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": True,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": card["brand"],
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": card["network"],
                "network_reason_code": "10.4",
            },
        },
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }


def new_warning(charge: Doc, now: int) -> Doc:
    """The card's issuer believes that a charge was fraud; nothing has been taken back as yet."""
    return {
        "id": ids.new("issfr"),
        "object": "radar.early_fraud_warning",
        "actionable": True,
        "charge": charge["id"],
        "created": now,
        "fraud_type": "misc",
        "livemode": False,
        "payment_intent": charge["payment_intent"],
    }
