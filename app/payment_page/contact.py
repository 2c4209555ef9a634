"""Mails about payments go to somebody else from now on: asked twice, so that a slip of the finger silences nobody.

The address before stays a billing contact. It hears of everything that goes on, and whoever reads it would notice a
change that was not theirs.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from app.crypto import SecretUnreadable
from app.messages import recipients
from app.messages.addresses import is_worth_keeping
from app.messages.recipients import AddressInvalid, TooManyContacts
from app.models import CaseEntry, Customer
from app.payment_page.blueprint import payment_page
from app.payment_page.pages import ADDRESS_CHANGED, ADDRESS_INVALID, NOT_POSSIBLE, to_page
from app.payment_page.visits import Visit, enter, speak
from app.recovery import cases
from app.vocabulary import EntryKind

CHANGED = "contact_changed"
MOST_A_DAY = 3
CUSTOMER = "the customer"


@payment_page.post("/<token>/contact")
def ask_for_contact(token: str) -> ResponseReturnValue:
    """On to the question whether the address was meant like that. Nothing is changed yet."""
    visit = enter(token)
    visit.click()
    address = request.form.get("address", "").strip()
    if not visit.standing().offers.contact:
        return to_page(visit, NOT_POSSIBLE)
    if not is_worth_keeping(address):
        return to_page(visit, ADDRESS_INVALID)
    return redirect(visit.url(f"/contact?to={_seal(visit, address)}"), code=303)


@payment_page.get("/<token>/contact")
def show_contact(token: str) -> ResponseReturnValue:
    """Show the address as it was understood, and ask whether that is right."""
    visit = enter(token)
    standing = visit.standing()
    address = _unseal(visit, request.args.get("to", ""))
    if address is None or not standing.offers.contact:
        return to_page(visit)
    return render_template(
        "payment_page/contact.html",
        voice=speak(standing, address=speak(standing).named(address, is_ltr=True)),
        merchant=standing.facts.merchant,
        base=f"/pay/{visit.token}",
        ticket=visit.ticket(standing),
        address=address,
    )


@payment_page.post("/<token>/contact/confirmed")
def change_contact(token: str) -> ResponseReturnValue:
    """Write to the new address first from now on, and to the one before as well."""
    visit = enter(token)
    click = visit.click()
    if not visit.standing().offers.contact:
        return to_page(visit, NOT_POSSIBLE)
    try:
        is_changed = _change(visit, click.name, request.form.get("address", "").strip())
    except (AddressInvalid, TooManyContacts):
        return to_page(visit, ADDRESS_INVALID)
    return to_page(visit, ADDRESS_CHANGED if is_changed else NOT_POSSIBLE)


def _seal(visit: Visit, address: str) -> str:
    """An address as part of another address: nobody reads it in a log or a browser's history."""
    return urlsafe_b64encode(visit.context.keys.seal(address, _place(visit))).decode()


def _unseal(visit: Visit, sealed: str) -> str | None:
    try:
        return visit.context.keys.open(urlsafe_b64decode(sealed), _place(visit))
    except (ValueError, SecretUnreadable):
        return None


def _place(visit: Visit) -> str:
    return f"pay.contact:{visit.link.case_id}"


def _change(visit: Visit, click: str, address: str) -> bool:
    """False where it was changed too often today; the same form again changes nothing and is no failure."""
    with visit.context.database.organization(visit.link.organization_id) as session:
        case = cases.lock_case(session, visit.link.case_id)
        customer = session.get_one(Customer, case.customer_id)
        changed = (CaseEntry.case_id == case.id, CaseEntry.name == CHANGED)
        today = select(func.count()).where(*changed, CaseEntry.happened_at > visit.now - timedelta(days=1))
        if session.scalars(select(CaseEntry.id).where(*changed, CaseEntry.key == f"{CHANGED}:{click}")).first():
            return True
        if session.scalars(today).one() >= MOST_A_DAY:
            return False
        before = recipients.make_main(session, customer, address, by=CUSTOMER, now=visit.now)
        if before and before.lower() != address.lower():
            recipients.add(session, customer, before, by=CUSTOMER, now=visit.now)
        summary = "The customer named another address for mails about payments; the one before is written to as well."
        key = f"{CHANGED}:{click}"
        return cases.append(session, case, EntryKind.FACT, CHANGED, key, visit.now, visit.now, summary)
