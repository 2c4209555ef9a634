"""Refunds, disputes, and early fraud warnings."""

from app.sandbox import listing
from app.sandbox.billing import reversals
from app.sandbox.door import Route
from app.sandbox.errors import missing_param
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.store import Doc


def create_refund(ledger: Ledger, params: Params) -> Doc:
    """Refund a charge, named by itself or by its PaymentIntent."""
    params.ignore("instructions_email", "origin", "refund_application_fee", "reverse_transfer")
    charge, intent = params.text("charge"), params.text("payment_intent")
    if charge is None and intent is not None:
        charge = ledger.get("payment_intent", intent, "payment_intent")["latest_charge"]
    if charge is None:
        raise missing_param("charge")
    reason = params.choice("reason", "duplicate", "fraudulent", "requested_by_customer")
    doc = ledger.get("charge", charge, "charge")
    metadata = merged_metadata({}, params.mapping("metadata"))
    return reversals.refund(ledger, doc, params.integer("amount"), reason, metadata)


def retrieve_refund(ledger: Ledger, params: Params, refund: str) -> Doc:
    """One refund."""
    return ledger.get("refund", refund)


def list_refunds(ledger: Ledger, params: Params) -> Doc:
    """Refunds by PaymentIntent or charge."""
    intent, charge = params.text("payment_intent"), params.text("charge")
    if charge is not None:
        intent = ledger.get("charge", charge, "charge")["payment_intent"]
    return listing.page(ledger, params, "refund", "/v1/refunds", {"payment_intent": intent})


def retrieve_dispute(ledger: Ledger, params: Params, dispute: str) -> Doc:
    """One dispute."""
    return ledger.get("dispute", dispute)


def list_disputes(ledger: Ledger, params: Params) -> Doc:
    """Disputes by PaymentIntent or charge."""
    intent, charge = params.text("payment_intent"), params.text("charge")
    if charge is not None:
        intent = ledger.get("charge", charge, "charge")["payment_intent"]
    return listing.page(ledger, params, "dispute", "/v1/disputes", {"payment_intent": intent})


def update_refund(ledger: Ledger, params: Params, refund: str) -> Doc:
    """Change a refund's metadata."""
    doc = ledger.get("refund", refund)
    with ledger.changing(doc, "refund.updated"):
        doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))
    return doc


def update_dispute(ledger: Ledger, params: Params, dispute: str) -> Doc:
    """Evidence, submitted unless `submit` says otherwise, and metadata."""
    doc = ledger.get("dispute", dispute)
    with ledger.changing(doc, "charge.dispute.updated"):
        doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))
    given, submit = params.child("evidence"), params.flag("submit")
    if given is None:
        return doc
    known = [name for name in doc["evidence"] if name != "enhanced_evidence"]
    evidence = {name: given.text(name) or "" for name in known if name in given}
    given.ignore("enhanced_evidence")
    return reversals.answer_dispute(ledger, doc, evidence, submit=submit is not False)


def accept_dispute(ledger: Ledger, params: Params, dispute: str) -> Doc:
    """Dismiss a dispute: it is lost."""
    return reversals.close_dispute(ledger, ledger.get("dispute", dispute), "lost")


def retrieve_warning(ledger: Ledger, params: Params, warning: str) -> Doc:
    """One early fraud warning."""
    return ledger.get("radar.early_fraud_warning", warning, "early_fraud_warning")


def list_warnings(ledger: Ledger, params: Params) -> Doc:
    """Early fraud warnings by PaymentIntent or charge."""
    intent, charge = params.text("payment_intent"), params.text("charge")
    if charge is not None:
        intent = ledger.get("charge", charge, "charge")["payment_intent"]
    url, kind = "/v1/radar/early_fraud_warnings", "radar.early_fraud_warning"
    return listing.page(ledger, params, kind, url, {"payment_intent": intent})


ROUTES: list[Route] = [
    ("POST", "/v1/refunds", create_refund),
    ("GET", "/v1/refunds", list_refunds),
    ("GET", "/v1/refunds/<refund>", retrieve_refund),
    ("POST", "/v1/refunds/<refund>", update_refund),
    ("GET", "/v1/disputes", list_disputes),
    ("GET", "/v1/disputes/<dispute>", retrieve_dispute),
    ("POST", "/v1/disputes/<dispute>", update_dispute),
    ("POST", "/v1/disputes/<dispute>/close", accept_dispute),
    ("GET", "/v1/radar/early_fraud_warnings", list_warnings),
    ("GET", "/v1/radar/early_fraud_warnings/<warning>", retrieve_warning),
]
