"""What is open at Stripe from before, counted straight from its list of open invoices: nothing is kept or changed."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from app.context import Context
from app.inbox.backfill.old_debts import OldDebts
from app.models import Connection, Invoice, RecoveryCase
from app.money import Money
from app.recovery.observing import is_lapsed
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.snapshots import InvoiceSnapshot


def preview(
    context: Context,
    gateway: StripeGateway,
    connection: Connection,
    since: datetime,
    say: Callable[[int], None] = lambda _read: None,
) -> list[OldDebts]:
    """Open failed invoices made since `since` that have no case, by currency; raises `GatewayError`.

    An upper bound: whose subscription was cancelled on request, or whose payment is disputed, is only seen when the
    invoice itself is read.
    """
    open_ones: list[InvoiceSnapshot] = []
    cursor, read = None, 0
    while True:
        page = gateway.invoices_page(created_after=since, cursor=cursor, open_only=True)
        lapsed = [invoice for invoice in page.rows if is_lapsed(invoice)]
        with_case = _with_case(context, connection, [invoice.id for invoice in lapsed])
        open_ones += [invoice for invoice in lapsed if invoice.id not in with_case]
        read, cursor = read + len(page.rows), page.cursor
        say(read)
        if cursor is None:
            return _by_currency(open_ones)


def _with_case(context: Context, connection: Connection, invoice_ids: list[str]) -> set[str]:
    with context.database.organization(connection.organization_id) as session:
        query = (
            select(Invoice.stripe_id)
            .join(RecoveryCase, RecoveryCase.invoice_id == Invoice.id)
            .where(Invoice.connection_id == connection.id, Invoice.stripe_id.in_(invoice_ids))
        )
        return set(session.scalars(query))


def _by_currency(invoices: list[InvoiceSnapshot]) -> list[OldDebts]:
    found = []
    for currency in sorted({invoice.currency for invoice in invoices}):
        same = [invoice for invoice in invoices if invoice.currency == currency]
        owed = Money(sum(invoice.amount_remaining for invoice in same), currency)
        found.append(OldDebts(len(same), len({invoice.customer_id for invoice in same}), owed))
    return found
