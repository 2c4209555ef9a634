"""Test clocks: which one a thing lives on, and what moment it is there.

A customer is put on a clock when it is made, and whatever belongs to that customer lives there too. How a clock is
advanced is not known here.
"""

from collections.abc import Iterable

from app.sandbox import ids
from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.store import Doc

KIND = "test_helpers.test_clock"
URL = "/v1/test_helpers/test_clocks"

# How a document leads to its customer, when it does not name it.
_WAYS = ("invoice", "subscription", "charge", "payment_intent")

# Everything of one customer; kinds with an underscore are what the sandbox remembers about an object of the same id.
_DELETIONS = (
    "delete from objects where kind glob '[_]*' and id in (select id from objects where customer = ?)",
    "delete from objects where kind = 'invoice_payment' and invoice in (select id from objects where customer = ?)",
    "delete from objects where customer = ?",
)


def enter(ledger: Ledger, about: Iterable[str]) -> None:
    """Let everything in `ledger` happen at the moment of the test clock on which one of `about` lives, if one does."""
    for identifier in about:
        clock = clock_of(ledger, identifier)
        if clock is not None:
            ledger.now, ledger.clock = clock["frozen_time"], clock["id"]
            return


def clock_of(ledger: Ledger, identifier: str) -> Doc | None:
    """The test clock of whatever has this id, or that has it itself; None when it lives in the account's own time."""
    kind = ids.kind_of(identifier)
    doc = ledger.find(kind, identifier) if kind else None
    while doc is not None and doc.get("object") != "customer" and not doc.get("test_clock"):
        if doc.get("object") == KIND:
            return doc
        customer = doc.get("customer")
        way = next((name for name in _WAYS if isinstance(doc.get(name), str)), None)
        if isinstance(customer, str):
            doc = ledger.find("customer", customer)
        else:
            doc = ledger.find(way, doc[way]) if way else None
    return ledger.find(KIND, doc.get("test_clock")) if doc else None


def refuse_while_advancing(ledger: Ledger, path: str) -> None:
    """Raise Stripe's 429 when the ledger's clock is on its way: nothing on it may be changed meanwhile.

    To set out once more is refused, too, but by the request itself and with a 400.
    """
    clock = ledger.find(KIND, ledger.clock)
    if clock is not None and clock["status"] == "advancing" and path != f"{URL}/{clock['id']}/advance":
        raise StripeRefusal(429, "Test clock advancement underway - cannot perform modifications.", executed=False)


def remove(ledger: Ledger, clock: Doc) -> None:
    """Delete a clock, the customers on it, and all that belongs to them. Their events stay."""
    rows = ledger.store.fetch(
        "select id from objects where kind = 'customer' and json_extract(body, '$.test_clock') = ?", clock["id"]
    )
    for (customer,) in rows:
        for deletion in _DELETIONS:
            ledger.store.execute(deletion, customer)
        ledger.store.remove("customer", customer)
    ledger.store.execute("delete from timers where clock = ? or id = ?", clock["id"], clock["id"])
    ledger.store.remove(KIND, clock["id"])
    ledger.forget()
    ledger.emit("test_helpers.test_clock.deleted", clock)
