"""Recoup's rows held against Stripe's books: every case's invoice is read again and compared to the cent."""

from collections.abc import Iterator

from sqlalchemy import select

from app.accounts.connections import gateway_for
from app.context import Context
from app.models import ChargeAttempt, Connection, Invoice, RecoveryCase
from app.recovery.cases import received
from app.recovery.invariants import Offence
from app.stripe_gateway.errors import NotFound
from app.stripe_gateway.gateway import StripeGateway
from app.vocabulary import AttemptState, CaseState


def compare(context: Context) -> Iterator[Offence]:
    """Differences between cases and Stripe, one at a time; raises `GatewayError`. Reads three objects a case."""
    with context.database.system() as session:
        rows = session.execute(
            select(RecoveryCase, Invoice, Connection)
            .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
            .join(Connection, Connection.id == RecoveryCase.connection_id)
            .order_by(RecoveryCase.failed_at)
        ).all()
        charged = set(
            session.scalars(
                select(ChargeAttempt.charge_id).where(
                    ChargeAttempt.state == AttemptState.SUCCEEDED, ChargeAttempt.charge_id.is_not(None)
                )
            )
        )
    gateways: dict[Connection, StripeGateway] = {}
    for case, invoice, connection in rows:
        gateway = gateways.setdefault(connection, gateway_for(context, connection))
        yield from _compare_one(gateway, case, invoice, charged)


def _compare_one(
    gateway: StripeGateway, case: RecoveryCase, invoice: Invoice, charged: set[str | None]
) -> Iterator[Offence]:
    subject = str(case.id)
    try:
        truth = gateway.get_invoice(invoice.stripe_id)
    except NotFound:  # as after a test clock was deleted with all that lived by it
        yield Offence("books", subject, f"Stripe does not have {invoice.stripe_id} any more, the case is {case.state}")
        return
    if (truth.status == "paid") != (case.state is CaseState.RECOVERED):
        yield Offence("books", subject, f"Stripe has {invoice.stripe_id} as {truth.status}, the case is {case.state}")
    paid = received(case, truth.amount_paid)
    if truth.status == "paid" and paid and paid != case.recovered_amount:
        yield Offence("books", subject, f"Stripe was paid {paid}, the case counts {case.recovered_amount}")
    if truth.payment_intent_id:
        charges = [one.id for one in gateway.list_charges(truth.payment_intent_id) if one.status == "succeeded"]
        if len(charges) > 1:
            yield Offence("books", subject, f"{invoice.stripe_id} was charged {len(charges)} times")
        if charges and charges[0] not in charged:
            yield Offence("books", subject, f"the charge {charges[0]} of {invoice.stripe_id} is not on our books")
