"""Credit notes."""

from app.sandbox import listing
from app.sandbox.billing import credit_notes
from app.sandbox.door import Route
from app.sandbox.errors import missing_param
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.store import Doc


def create(ledger: Ledger, params: Params) -> Doc:
    """A note over `amount` on `invoice`; on a paid one with how the amount goes back."""
    invoice = ledger.get("invoice", params.required("invoice"), "invoice")
    params.ignore("email_type", "effective_at")
    split = credit_notes.Split(
        refund=params.integer("refund_amount") or 0,
        credit=params.integer("credit_amount") or 0,
        out_of_band=params.integer("out_of_band_amount") or 0,
    )
    amount = params.integer("amount")
    if amount is None and not split.total:
        raise missing_param("amount")
    texts: Doc = {
        "memo": params.text("memo"),
        "reason": params.choice("reason", "duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
        "metadata": merged_metadata({}, params.mapping("metadata")),
    }
    return credit_notes.issue(ledger, invoice, split.total if amount is None else amount, split, texts)


def update(ledger: Ledger, params: Params, note: str) -> Doc:
    """Change a note's memo or metadata."""
    doc = ledger.get("credit_note", note)
    with ledger.changing(doc, "credit_note.updated"):
        if "memo" in params:
            doc["memo"] = params.text("memo")
        doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))
    return doc


def retrieve(ledger: Ledger, params: Params, note: str) -> Doc:
    """One note."""
    return ledger.get("credit_note", note)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Notes by customer and invoice."""
    equal = {name: params.text(name) for name in ("customer", "invoice")}
    return listing.page(ledger, params, "credit_note", "/v1/credit_notes", equal)


def void(ledger: Ledger, params: Params, note: str) -> Doc:
    """Take a note back."""
    return credit_notes.void(ledger, ledger.get("credit_note", note))


ROUTES: list[Route] = [
    ("POST", "/v1/credit_notes", create),
    ("GET", "/v1/credit_notes", list_all),
    ("GET", "/v1/credit_notes/<note>", retrieve),
    ("POST", "/v1/credit_notes/<note>", update),
    ("POST", "/v1/credit_notes/<note>/void", void),
]
