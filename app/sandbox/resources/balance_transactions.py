"""The customer's credit balance, entry by entry."""

from app.sandbox import listing
from app.sandbox.billing import balances
from app.sandbox.door import Route
from app.sandbox.errors import bad_param, missing, missing_param
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.store import Doc

KIND = "customer_balance_transaction"


def create(ledger: Ledger, params: Params, customer: str) -> Doc:
    """An adjustment of `amount` minor units: negative gives credit, positive is owed with the next invoice."""
    doc = ledger.get("customer", customer, "customer")
    if doc.get("deleted"):
        raise missing("customer", customer, "customer")
    amount, currency = params.integer("amount"), params.required("currency").lower()
    if amount is None:
        raise missing_param("amount")
    if doc["currency"] not in (None, currency):
        raise bad_param("currency", f"The customer's currency is {doc['currency']}; a balance is kept in it alone.")
    with ledger.changing(doc, "customer.updated"):
        doc["currency"] = currency
        return balances.change(
            ledger,
            doc,
            amount,
            "adjustment",
            currency,
            description=params.text("description"),
            metadata=merged_metadata({}, params.mapping("metadata")),
        )


def retrieve(ledger: Ledger, params: Params, customer: str, transaction: str) -> Doc:
    """One entry."""
    doc = ledger.get(KIND, transaction)
    if doc["customer"] != customer:
        raise missing(KIND, transaction)
    return doc


def list_all(ledger: Ledger, params: Params, customer: str) -> Doc:
    """A customer's entries, newest first."""
    ledger.get("customer", customer, "customer")
    params.ignore("invoice")
    url = f"/v1/customers/{customer}/balance_transactions"
    return listing.page(ledger, params, KIND, url, {"customer": customer})


ROUTES: list[Route] = [
    ("POST", "/v1/customers/<customer>/balance_transactions", create),
    ("GET", "/v1/customers/<customer>/balance_transactions", list_all),
    ("GET", "/v1/customers/<customer>/balance_transactions/<transaction>", retrieve),
]
