"""Money that goes back: refunds that the operator makes, disputes that the cardholder raises."""

from typing import Any

from app.sandbox import ids
from app.sandbox.errors import StripeRefusal, wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.policy import DAY
from app.sandbox.store import Doc

_EVIDENCE_DAYS = 14


def refund(ledger: Ledger, charge: Doc, amount: int | None, reason: str | None, metadata: dict[str, str]) -> Doc:
    """Give back `amount` minor units of a charge, by default all that is left; raises when there is not so much."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    wanted = left if amount is None else amount
    if left == 0:
        raise StripeRefusal(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if not 0 < wanted <= left:
        raise StripeRefusal(
            400, f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    made = ledger.save(_new_refund(charge, wanted, reason, metadata, ledger.now))
    with ledger.changing(charge):
        charge["amount_refunded"] += wanted
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    ledger.emit("refund.created", made)
    ledger.emit("charge.refunded", charge)
    return made


def dispute(ledger: Ledger, charge: Doc, reason: str) -> Doc:
    """The cardholder disputes a successful charge."""
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise StripeRefusal(
            400, f"Charge {charge['id']} cannot be disputed: it did not succeed, or it is disputed already."
        )
    made = ledger.save(_new_dispute(charge, reason, ledger.now))
    with ledger.changing(charge):
        charge["disputed"] = True
    ledger.emit("charge.dispute.created", made)
    return made


def close_dispute(ledger: Ledger, doc: Doc, status: str) -> Doc:
    """The dispute is `won` or `lost`; raises when it has ended before."""
    if doc["status"] in ("won", "lost"):
        raise wrong_state(f"The dispute {doc['id']} is closed already: it was {doc['status']}.")
    with ledger.changing(doc):
        doc["status"] = status
        doc["is_charge_refundable"] = False
    ledger.emit("charge.dispute.closed", doc)
    return doc


def _new_refund(charge: Doc, amount: int, reason: str | None, metadata: dict[str, str], now: int) -> Doc:
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


def _new_dispute(charge: Doc, reason: str, now: int) -> Doc:
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
            "due_by": now + _EVIDENCE_DAYS * DAY,
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
                "case_type": "chargeback",
                "network": card["network"],
                "network_reason_code": "10.4",
            },
        },
        "reason": reason,
        "status": "needs_response",
    }
