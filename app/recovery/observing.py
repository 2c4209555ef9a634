"""A reading of Stripe applied to rows: projections, a case opened or moved, attempts of everybody, a new plan.

The one way in for news, whether a webhook, a sweep, the customer's page or our own charge brought it. Applying the
same reading twice changes nothing; of two readings the newer wins (`StaleReading` asks for another).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.campaigns.definition import window_end
from app.context import Context
from app.db import get_row
from app.failpoints import failpoint
from app.models import CampaignVersion, Connection, Customer, Invoice, RecoveryCase, Subscription
from app.recovery import cases, handover, planning, watching
from app.recovery.attempts import decline_class_in, import_charges
from app.recovery.campaigns import choose, in_force, read_definition
from app.recovery.endings import record_ending
from app.recovery.projections import (
    StaleReading,
    billed_name,
    write_customer,
    write_invoice,
    write_payment_method,
    write_subscription,
)
from app.recovery.reading import Reading, read_invoice
from app.recovery.segment_facts import facts_of_invoice
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.snapshots import InvoiceSnapshot
from app.vocabulary import CaseOrigin, CaseState

READ_AGAIN = 4
CHECKOUT = "subscription_create"  # a first payment that fails is an abandoned checkout, not a lapsed customer


@dataclass(frozen=True)
class Hint:
    """What an event claimed: whether a payment failed or wants the payer's approval, and when (aware UTC)."""

    failed: bool
    at: datetime


def observe_invoice(
    context: Context, gateway: StripeGateway, connection: Connection, invoice_id: str, hint: Hint | None = None
) -> UUID | None:
    """Read an invoice at Stripe and apply what is found; the id of its case, if it has one.

    Raises `GatewayError`, and `StaleReading` when others kept writing newer readings.
    """
    for _ in range(READ_AGAIN):
        reading = read_invoice(gateway, invoice_id, context.clock.now())
        failpoint("event.after_reading")
        try:
            with context.database.organization(connection.organization_id) as session:
                return apply(session, get_row(session, Connection, connection.id), reading, hint, context.clock.now())
        except StaleReading:
            continue
    raise StaleReading(invoice_id)


def apply(
    session: Session,
    connection: Connection,
    reading: Reading,
    hint: Hint | None,
    now: datetime,
    origin: CaseOrigin = CaseOrigin.FAILURE,
) -> UUID | None:
    """Apply one reading inside the caller's transaction; raises `StaleReading`. `origin` is for a case it opens."""
    invoice = write_invoice(session, connection, reading.invoice, reading.read_at)
    customer = write_customer(session, connection, reading.customer, reading.read_at)
    subscription = None
    if reading.subscription:
        subscription = write_subscription(session, connection, reading.subscription, reading.read_at)
    if reading.payment_method:
        write_payment_method(session, connection, reading.payment_method, reading.read_at)
    case = cases.find_case_of_invoice(session, invoice.id)
    is_new = case is None
    if case is None:
        if not opens_case(reading, hint):
            return None
        case = _open(session, connection, reading, hint, (invoice, customer, subscription), now, origin)
        session.refresh(connection)  # a switch that came between is seen; from now on none can, the new row locks it
    import_charges(session, case, reading, now)
    record_ending(session, case, reading, now)
    if is_new and case.state not in (CaseState.RECOVERED, CaseState.CLOSED):
        planning.plan_opening(session, case, now)
    handover.bring_into_line(session, connection, case, invoice, now)
    watching.watch(session, connection, case, invoice, reading, now)
    planning.replan(session, case, now)
    return case.id


def opens_case(reading: Reading, hint: Hint | None) -> bool:
    """Whether an invoice is a lapsed payment worth recovering: charged automatically, and failed at least once."""
    invoice = reading.invoice
    if not _is_collected_from_card(invoice) or invoice.amount_due <= 0 or invoice.status == "draft":
        return False
    has_failed = any(charge.status == "failed" for charge in reading.charges)
    return has_failed or is_lapsed(invoice) or (hint is not None and hint.failed)


def is_lapsed(invoice: InvoiceSnapshot) -> bool:
    """Whether an invoice by itself shows that its card was tried and the money did not come."""
    is_owed = invoice.status == "open" and invoice.attempted and invoice.amount_remaining > 0
    return is_owed and _is_collected_from_card(invoice)


def _is_collected_from_card(invoice: InvoiceSnapshot) -> bool:
    return invoice.collection_method == "charge_automatically" and invoice.billing_reason != CHECKOUT


def _open(
    session: Session,
    connection: Connection,
    reading: Reading,
    hint: Hint | None,
    rows: tuple[Invoice, Customer, Subscription | None],
    now: datetime,
    origin: CaseOrigin,
) -> RecoveryCase:
    invoice, customer, subscription = rows
    failures = [charge.created for charge in reading.charges if charge.status == "failed"]
    failed_at = min(failures, default=hint.at if hint else now)
    asked = facts_of_invoice(session, invoice, customer, subscription, decline_class_in(reading), now)
    choice = choose(in_force(session), asked)
    version = choice.chosen.version
    if invoice.status == "open" and _is_heard_of_too_late(version, failed_at, now):
        origin = CaseOrigin.OLD_DEBT
    if origin is CaseOrigin.OLD_DEBT:
        failed_at = now
        # a subscription that has gone on since, or that Stripe has given up, is no stake for an old debt
        subscription = subscription if subscription and subscription.status == "past_due" else None
    return cases.open_case(
        session,
        invoice=invoice,
        customer=customer,
        subscription=subscription,
        version=version,
        failed_at=min(failed_at, now),
        now=now,
        origin=origin,
        billed_name=billed_name(reading.invoice, reading.subscription),
        because=choice.because,
    )


def _is_heard_of_too_late(version: CampaignVersion, failed_at: datetime, now: datetime) -> bool:
    """Whether more than half of the campaign's window had gone by unheard: nobody is cut off who was hardly written
    to, so such a debt's campaign begins today."""
    return now - failed_at > (window_end(read_definition(version), failed_at) - failed_at) / 2
