"""Who gets the mails about a customer's payments: one main address, and billing contacts beside it.

The main address is Stripe's, unless a person put another in its place. Contacts are added in the console or on the
customer's page, or stand in the customer's metadata at Stripe. Whether an address may be written to is suppression's.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import Row, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db import prepared
from app.errors import RecoupError
from app.messages.addresses import is_address, is_worth_keeping
from app.models import Customer, Recipient

METADATA_KEYS = ("billing_contacts", "billing_contact", "billing_emails", "billing_email")
MOST_CONTACTS = 10
_BETWEEN = re.compile(r"[\s,;]+")


class AddressInvalid(RecoupError):
    """The text is no e-mail address that can be written to."""


class TooManyContacts(RecoupError):
    """A customer can have so many billing contacts and no more."""


class Source(StrEnum):
    """Where an address comes from, and so where it is changed."""

    STRIPE = "stripe"
    METADATA = "metadata"
    RECOUP = "recoup"


@dataclass(frozen=True)
class Contact:
    """One address of a customer. `added_by` is who put it there, for those kept in Recoup."""

    address: str
    source: Source
    is_main: bool = False
    added_by: str | None = None


def main_address(session: Session, customer: Customer) -> str | None:
    """Where mails to this customer go first; None where nobody knows an address."""
    chosen = next((row.address for row in _rows(session, customer) if row.is_main), None)
    return chosen or customer.email


def contacts_of(session: Session, customer: Customer) -> tuple[Contact, ...]:
    """Everybody who is written to about this customer, the main address first, each address once."""
    seen: set[str] = set()
    found = []
    for contact in (*_in_recoup(_rows(session, customer), customer), *_in_metadata(customer)):
        if contact.address.lower() not in seen:
            seen.add(contact.address.lower())
            found.append(contact)
    return tuple(found[: MOST_CONTACTS + 1])


def others_of(session: Session, customer: Customer) -> tuple[str, ...]:
    """The addresses beside the main one."""
    return tuple(contact.address for contact in contacts_of(session, customer) if not contact.is_main)


def add(session: Session, customer: Customer, address: str, *, by: str, now: datetime) -> bool:
    """Write to `address`, too; False where that is so already. Raises `AddressInvalid` and `TooManyContacts`."""
    address = _checked(address)
    if address.lower() == (main_address(session, customer) or "").lower():
        return False
    kept = select(func.count()).select_from(Recipient).where(Recipient.customer_id == customer.id)
    if (session.scalar(kept) or 0) >= MOST_CONTACTS:
        raise TooManyContacts(f"there are {MOST_CONTACTS} billing contacts already; take one away first")
    return _write(session, customer, address, by, now)


def make_main(session: Session, customer: Customer, address: str, *, by: str, now: datetime) -> str | None:
    """Write to `address` in place of the main address from now on; the address it was, if any.

    Stripe's own record of the customer is left as it is. Raises `AddressInvalid`.
    """
    address = _checked(address)
    before = main_address(session, customer)
    session.execute(update(Recipient).where(Recipient.customer_id == customer.id).values(is_main=False))
    if (customer.email or "").lower() == address.lower():
        remove(session, customer, address)
        return before
    _write(session, customer, address, by, now)
    same = func.lower(Recipient.address) == address.lower()
    session.execute(update(Recipient).where(Recipient.customer_id == customer.id, same).values(is_main=True))
    return before


def remove(session: Session, customer: Customer, address: str) -> bool:
    """Stop writing to an address that was added in Recoup; False for one that was not."""
    same = func.lower(Recipient.address) == address.lower()
    gone = delete(Recipient).where(Recipient.customer_id == customer.id, same).returning(Recipient.id)
    return session.scalars(gone).first() is not None


def _checked(address: str) -> str:
    address = address.strip()
    if not is_worth_keeping(address):
        raise AddressInvalid("this is no e-mail address; write it like name@example.com")
    return address


def _write(session: Session, customer: Customer, address: str, by: str, now: datetime) -> bool:
    row = insert(Recipient).values(
        id=uuid4(),
        organization_id=customer.organization_id,
        customer_id=customer.id,
        address=address,
        is_main=False,
        added_by=by,
        added_at=now,
    )
    return session.execute(row.on_conflict_do_nothing().returning(Recipient.id)).first() is not None


def _rows(session: Session, customer: Customer) -> Sequence[Row[str, bool, str]]:
    return session.execute(*_recipients(customer.id)).all()


@prepared
def _recipients(customer_id: UUID) -> Select[str, bool, str]:
    kept = select(Recipient.address, Recipient.is_main, Recipient.added_by).where(Recipient.customer_id == customer_id)
    return kept.order_by(Recipient.is_main.desc(), Recipient.added_at, Recipient.address)


def _in_recoup(rows: Sequence[Row[str, bool, str]], customer: Customer) -> Iterator[Contact]:
    """Stripe's address, unless one of ours is in its place, and then ours."""
    if customer.email and not any(row.is_main for row in rows):
        yield Contact(customer.email, Source.STRIPE, True)
    for row in rows:
        yield Contact(row.address, Source.RECOUP, row.is_main, row.added_by)


def _in_metadata(customer: Customer) -> Iterator[Contact]:
    """Addresses that the operator's system keeps with the Stripe customer, parted by commas, semicolons or blanks."""
    for key in METADATA_KEYS:
        text = customer.stripe_metadata.get(key)
        for address in _BETWEEN.split(text) if isinstance(text, str) else ():
            if is_address(address):
                yield Contact(address, Source.METADATA)
