"""Open invoices that their customers pay by hand: a word before they are due, on the day, and some time after.

Each customer is read once it comes to a mail; whoever has paid by the time it leaves is asked for nothing.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from app.inbox.errands.walk import Walk
from app.inbox.notices.cards import read_settings
from app.messages import notice_rules, notices, outbox
from app.messages.notice_rules import InvoiceByHand, NoticeSettings
from app.messages.zones import read_zone
from app.models import Connection, Organization
from app.recovery.cases import find_case_of_invoice
from app.recovery.projections import StaleReading, find_invoice, write_customer, write_invoice
from app.stripe_gateway.errors import LACKING, NotFound
from app.stripe_gateway.snapshots import CustomerSnapshot, InvoiceSnapshot


def look(walk: Walk) -> bool:
    """Look through one page of open invoices; True when it was the last, or nobody is to be told."""
    settings = read_settings(walk)
    if not settings.invoices:
        return True
    place, now = walk.place("invoices"), walk.context.clock.now()
    try:
        page = walk.gateway.invoices_by_hand_page(cursor=place.get("cursor"))
    except LACKING:
        walk.note("This server does not list invoices; nobody is told of one that falls due.")
        walk.commit()
        return True
    due = [one for one in page.rows if notice_rules.may_want_notice(_as_read(one), settings, now)]
    customers = _customers(walk, due)
    place["cursor"] = page.cursor
    walk.count("invoices", len(page.rows))
    walk.commit(lambda session: _write(walk, session, page.rows, customers, settings, now))
    return page.cursor is None


def _as_read(invoice: InvoiceSnapshot) -> InvoiceByHand:
    return InvoiceByHand(invoice.status, invoice.amount_remaining, invoice.due_date)


def _customers(walk: Walk, due: list[InvoiceSnapshot]) -> dict[str, CustomerSnapshot]:
    found = {}
    for customer_id in {one.customer_id for one in due if one.customer_id}:
        try:
            found[customer_id] = walk.gateway.get_customer(customer_id)
        except NotFound:
            walk.note(f"The customer {customer_id} of an open invoice is gone from Stripe.")
    return found


def _write(
    walk: Walk,
    session: Session,
    listed: tuple[InvoiceSnapshot, ...],
    customers: dict[str, CustomerSnapshot],
    settings: NoticeSettings,
    now: datetime,
) -> None:
    """Every invoice of a customer who is written to is kept, so that the mail can name them all."""
    connection = session.get_one(Connection, walk.connection.id)
    organization = session.get_one(Organization, walk.organization_id)
    for snapshot in listed:
        theirs = customers.get(snapshot.customer_id or "")
        if theirs is None:
            continue
        customer = write_customer(session, connection, theirs, now)
        known = find_invoice(session, connection.id, snapshot.id)
        if known and find_case_of_invoice(session, known.id):
            continue  # it is read with all around it, and asked for by its case
        try:
            invoice = write_invoice(session, connection, snapshot, now)
        except StaleReading:
            continue  # somebody read it a moment ago; the next look sees what they saw
        zone = read_zone(session, customer, organization)
        due = notice_rules.invoice_notice(notices.invoice_by_hand(session, invoice, zone), settings, now)
        if due is not None:
            key = f"{due.key}:{invoice.stripe_id}"
            outbox.queue_notice(session, customer=customer, about=invoice, key=key, kind=due.kind, now=now)
            walk.count("told")
