"""Money that goes back: refunds that the operator makes, disputes that the cardholder raises, and warnings of them."""

from app.sandbox import policy
from app.sandbox.billing import payments, standing
from app.sandbox.errors import StripeRefusal, wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.shapes.reversal import new_dispute, new_refund, new_warning
from app.sandbox.store import Doc

_OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")


def refund(ledger: Ledger, charge: Doc, amount: int | None, reason: str | None, metadata: dict[str, str]) -> Doc:
    """Give back `amount` minor units of a charge, by default all that is left; raises when there is not so much."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    wanted = left if amount is None else amount
    if _taken_back(ledger, charge):
        raise StripeRefusal(
            400, f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    if left == 0:
        raise StripeRefusal(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if not 0 < wanted <= left:
        raise StripeRefusal(
            400, f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left})", param="amount"
        )
    made = ledger.save(new_refund(charge, wanted, reason, metadata, ledger.now))
    with ledger.changing(charge):
        charge["amount_refunded"] += wanted
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    ledger.emit("refund.created", made)
    ledger.emit("charge.refunded", charge)
    if charge["refunded"]:
        _answer_warnings(ledger, charge)
    return made


def dispute(ledger: Ledger, charge: Doc, reason: str, *, inquiry: bool = False) -> Doc:
    """The cardholder disputes a successful charge; in an `inquiry` the money stays for the time being."""
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise StripeRefusal(
            400, f"Charge {charge['id']} cannot be disputed: it did not succeed, or it is disputed already."
        )
    made = ledger.save(new_dispute(charge, reason, ledger.now, inquiry=inquiry))
    with ledger.changing(charge):
        charge["disputed"] = True
    ledger.emit("charge.dispute.created", made)
    if not inquiry:
        ledger.emit("charge.dispute.funds_withdrawn", made)
    _answer_warnings(ledger, charge)
    if policy.load(ledger).on_dispute == "cancel":
        _end_subscription(ledger, charge)
    return made


def close_dispute(ledger: Ledger, doc: Doc, status: str) -> Doc:
    """The dispute is `won` or `lost`, an inquiry closed without a dispute when `won`; raises when it has ended."""
    if doc["status"] not in _OPEN:
        raise wrong_state(f"The dispute {doc['id']} is closed already: it was {doc['status']}.")
    inquiry = doc["status"].startswith("warning_")
    with ledger.changing(doc):
        doc["status"] = "warning_closed" if inquiry and status == "won" else status
        doc["is_charge_refundable"] = inquiry and status == "won"
    ledger.emit("charge.dispute.closed", doc)
    if doc["status"] == "won":
        ledger.emit("charge.dispute.funds_reinstated", doc)
    return doc


def answer_dispute(ledger: Ledger, doc: Doc, evidence: dict[str, str], *, submit: bool) -> Doc:
    """Evidence against a dispute; once submitted the issuer decides.

    As in Stripe's test mode the text `winning_evidence` or `losing_evidence` decides at once.
    """
    if doc["status"] not in ("needs_response", "warning_needs_response"):
        raise wrong_state(f"The dispute {doc['id']} takes no evidence: it is {doc['status']}.")
    with ledger.changing(doc, "charge.dispute.updated"):
        doc["evidence"].update(evidence)
        doc["evidence_details"]["has_evidence"] = True
        if submit:
            doc["evidence_details"]["submission_count"] += 1
            doc["status"] = doc["status"].replace("needs_response", "under_review")
    verdict = {"winning_evidence": "won", "losing_evidence": "lost"}.get(evidence.get("uncategorized_text", ""))
    return close_dispute(ledger, doc, verdict) if submit and verdict else doc


def warn(ledger: Ledger, charge: Doc) -> Doc:
    """The card's issuer reports a successful charge as fraud, before any dispute."""
    if charge["status"] != "succeeded":
        raise wrong_state(f"Charge {charge['id']} did not succeed, so nobody warns of it.")
    made = ledger.save(new_warning(charge, ledger.now))
    ledger.emit("radar.early_fraud_warning.created", made)
    return made


def follow_up(ledger: Ledger, charge: Doc) -> None:
    """What some test cards bring after a payment, soon after it."""
    what = (ledger.find("_conduct", charge["payment_method"]) or {}).get("after")
    if what == "warning":
        warn(ledger, charge)
    elif what is not None and not charge["disputed"] and not charge["refunded"]:
        reason = "product_not_received" if what == "product_not_received" else "fraudulent"
        dispute(ledger, charge, reason, inquiry=what == "inquiry")


def _taken_back(ledger: Ledger, charge: Doc) -> bool:
    raised = ledger.linked("dispute", "payment_intent", charge["payment_intent"])
    return any(entry["charge"] == charge["id"] and not entry["is_charge_refundable"] for entry in raised)


def _answer_warnings(ledger: Ledger, charge: Doc) -> None:
    """A warning asks for nothing any more once its charge is disputed or wholly refunded."""
    for warning in ledger.linked("radar.early_fraud_warning", "payment_intent", charge["payment_intent"]):
        if warning["charge"] == charge["id"]:
            with ledger.changing(warning, "radar.early_fraud_warning.updated"):
                warning["actionable"] = False


def _end_subscription(ledger: Ledger, charge: Doc) -> None:
    for record in ledger.linked("invoice_payment", "payment_intent", charge["payment_intent"]):
        subscription = ledger.find("subscription", payments.subscription_of(ledger.get("invoice", record["invoice"])))
        if subscription is not None and subscription["status"] not in standing.ENDED:
            standing.end(ledger, subscription, "payment_disputed")
