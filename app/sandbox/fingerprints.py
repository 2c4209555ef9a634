"""Whose card it is: a fingerprint is of a number *and* the person who holds it.

In the world a number is one person's card; here everybody shares a few test numbers. Were the fingerprint of the number
alone, one customer's lost card would bar every stranger with the same test card. So each person has a card of their
own for each number, and entering the same number again gives the same fingerprint.

A payment method that nobody holds yet has a fingerprint of its own: its holder is first known when it is attached or
charged. One that is taken off keeps its last. Numbers themselves are not kept, only their digests.
"""

import hashlib

from app.sandbox.ledger import Ledger
from app.sandbox.store import Doc

_LENGTH = 16


def issue(ledger: Ledger, method: Doc, number: str) -> None:
    """Give a new payment method the number `number`; it is nobody's as yet. The caller saves the method."""
    _number(ledger, method, _digest(number))


def hold(ledger: Ledger, method: Doc, customer: str) -> None:
    """From now on the card is this customer's. The caller saves the method."""
    known = ledger.find("_number", method["id"])
    if known is not None:
        method["card"]["fingerprint"] = _digest(customer, known["digest"])


def renumber(ledger: Ledger, method: Doc) -> None:
    """The network gave the card another number, which no one else has. The caller saves the method."""
    _number(ledger, method, _digest(method["id"], method["card"]["fingerprint"]))
    if method["customer"]:
        hold(ledger, method, method["customer"])


def _number(ledger: Ledger, method: Doc, digest: str) -> None:
    ledger.save({"id": method["id"], "digest": digest}, "_number")
    method["card"]["fingerprint"] = _digest(method["id"], digest)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_LENGTH]
