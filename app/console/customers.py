"""One customer: who gets the mails about their payments, which of those may be written to, and what they were sent.

Stripe's own record is never changed from here; contacts that stand in its metadata are changed there.
"""

from collections.abc import Callable
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.console import current
from app.console.blueprint import console
from app.errors import RecoupError
from app.messages import recipients, suppression
from app.messages.words import SuppressedBecause
from app.models import AuditEntry, Customer, Message, RecoveryCase

LONGEST_ADDRESS = 254
NEWEST = 50


@console.get("/customers/<uuid:customer_id>")
def customer(customer_id: UUID) -> ResponseReturnValue:
    with current.rows() as session:
        found = session.get(Customer, customer_id) or abort(404)
        contacts = recipients.contacts_of(session, found)
        silent = {one.address: suppression.find_reason(session, one.address) for one in contacts}
        mails = session.scalars(
            select(Message).where(Message.customer_id == customer_id).order_by(Message.planned_at.desc()).limit(NEWEST)
        ).all()
        cases = session.scalars(
            select(RecoveryCase)
            .where(RecoveryCase.customer_id == customer_id)
            .order_by(RecoveryCase.failed_at.desc())
            .limit(NEWEST)
        ).all()
    return render_template(
        "console/customer.html",
        customer=found,
        contacts=contacts,
        silent=silent,
        mails=mails,
        cases=cases,
        sources=recipients.Source,
        keys=recipients.METADATA_KEYS,
    )


@console.post("/customers/<uuid:customer_id>/contacts")
def change_contacts(customer_id: UUID) -> ResponseReturnValue:
    """Add, take away, put first, silence an address or write to it again, as the pressed button says."""
    act = _ACTS.get(request.form.get("act", ""))
    address = request.form.get("address", "").strip()[: LONGEST_ADDRESS + 1]
    with current.rows() as session:
        found = session.get(Customer, customer_id) or abort(404)
        if act is None:
            abort(400, "Choose what is to be done with the address.")
        name, do, done = act
        try:
            is_changed = do(session, found, address)
        except RecoupError as refusal:
            flash(f"Not done: {refusal}.", "bad")
        else:
            flash(done if is_changed else "It was like this already.", "good")
            if is_changed:
                _audit(session, found, name)
    return redirect(url_for("console.customer", customer_id=customer_id), code=303)


def _add(session: Session, found: Customer, address: str) -> bool:
    return recipients.add(session, found, address, by=current.person().user_name, now=current.now())


def _put_first(session: Session, found: Customer, address: str) -> bool:
    before = recipients.make_main(session, found, address, by=current.person().user_name, now=current.now())
    return (before or "").lower() != address.lower()


def _take_away(session: Session, found: Customer, address: str) -> bool:
    return recipients.remove(session, found, address)


def _silence(session: Session, found: Customer, address: str) -> bool:
    return _is_theirs(session, found, address) and suppression.suppress(
        session, address, SuppressedBecause.OPERATOR, current.now()
    )


def _write_again(session: Session, found: Customer, address: str) -> bool:
    return _is_theirs(session, found, address) and suppression.lift(session, address)


def _is_theirs(session: Session, found: Customer, address: str) -> bool:
    return address.lower() in {one.address.lower() for one in recipients.contacts_of(session, found)}


_ACTS: dict[str, tuple[str, Callable[[Session, Customer, str], bool], str]] = {
    "add": ("customer.contact_added", _add, "This address gets the mails, too."),
    "main": ("customer.contact_put_first", _put_first, "Mails go to this address first from now on."),
    "remove": ("customer.contact_removed", _take_away, "This address gets no more mails about this customer."),
    "silence": ("customer.address_silenced", _silence, "This address is not written to any more, by nobody here."),
    "again": ("customer.address_opened", _write_again, "This address is written to again."),
}


def _audit(session: Session, found: Customer, action: str) -> None:
    """Who did what to whose contacts; the address itself is personal and stays out of the log."""
    person = current.person()
    session.add(
        AuditEntry(
            organization_id=found.organization_id,
            actor=person.user_name,
            user_id=person.user_id,
            action=action,
            subject=str(found.id),
            happened_at=current.now(),
            data={},
        )
    )
