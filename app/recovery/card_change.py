"""A customer gave a new card: make it the one in force everywhere, then pay what is open, oldest first.

The page, the webhook and a repeated click all come here, in any order and at once: defaults are set again without
harm, the card is news to each case once, and each case's one retry step is won by one of them.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import Context
from app.failpoints import failpoint
from app.models import Connection, Customer, RecoveryCase
from app.recovery import cases, planning, running, steps
from app.recovery.attempts import note_new_card
from app.recovery.observing import observe_invoice
from app.recovery.projections import find_invoice, write_customer, write_payment_method
from app.stripe_gateway.gateway import StripeGateway
from app.vocabulary import OPEN_CASE_STATES, CaseState, StepKind


@dataclass(frozen=True)
class CardChange:
    """What a new card came to: the cases it was tried for, oldest debt first, with the state each is in now."""

    states: tuple[tuple[UUID, CaseState], ...]


def use_new_card(
    context: Context, gateway: StripeGateway, connection: Connection, *, customer_id: str, payment_method_id: str
) -> CardChange:
    """Put a saved card in force for a Stripe customer and charge every open invoice with it, oldest first.

    Raises `GatewayError`; whatever was done stays done, and calling it again goes on from there.
    """
    failpoint("card_change.before_defaults")
    gateway.set_default_payment_method(customer_id, payment_method_id)
    failpoint("card_change.after_defaults")
    _note(context, gateway, connection, customer_id, payment_method_id)
    return pay_open_invoices(context, gateway, connection, customer_id)


def note_renewed_card(context: Context, gateway: StripeGateway, connection: Connection, payment_method_id: str) -> None:
    """The card kept its id but changed (the network's account updater, or a new expiry): that is a new chance."""
    now = context.clock.now()
    method = gateway.get_payment_method(payment_method_id)
    edition = f":{method.card.exp_month}/{method.card.exp_year}:{method.card.fingerprint}" if method.card else ""
    with context.database.organization(connection.organization_id) as session:
        write_payment_method(session, connection, method, now)
        for case in _unpaid_cases(session, connection, method.customer_id or ""):
            if planning.method_id_in_force(session, case) == payment_method_id:
                summary = "The card was renewed by its bank."
                note_new_card(session, case, payment_method_id, now, now, summary, edition)
                planning.replan(session, case, now)


def pay_open_invoices(context: Context, gateway: StripeGateway, connection: Connection, customer_id: str) -> CardChange:
    """Read every open invoice that has a case and run the tries that are due for them now, oldest first.

    An invoice without a case was shown to the customer nowhere, so it is not charged on the strength of this card.
    """
    seen: dict[UUID, None] = {}
    for invoice in gateway.list_open_invoices(customer_id=customer_id):
        if not _has_case(context, connection, invoice.id):
            continue
        case_id = observe_invoice(context, gateway, connection, invoice.id)
        if case_id is not None:
            run_due_retry(context, connection.organization_id, case_id)
            seen[case_id] = None
    with context.database.organization(connection.organization_id) as session:
        rows = session.scalars(select(RecoveryCase).where(RecoveryCase.id.in_(seen))).all()
        by_id = {row.id: row.state for row in rows}
    return CardChange(tuple((case_id, by_id[case_id]) for case_id in seen))


def _has_case(context: Context, connection: Connection, invoice_id: str) -> bool:
    with context.database.organization(connection.organization_id) as session:
        invoice = find_invoice(session, connection.id, invoice_id)
        query = select(RecoveryCase.id).where(RecoveryCase.invoice_id == (invoice.id if invoice else None))
        return session.scalar(query) is not None


def run_due_retry(context: Context, organization_id: UUID, case_id: UUID) -> None:
    """Carry out a case's retry step here and now if it is due and nobody else has begun it."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        due = [step for step in steps.open_steps(session, case_id, StepKind.RETRY) if step.due_at <= now]
        claim = steps.claim_one(session, due[0], now) if due else None
    if claim is not None:
        running.run(context, claim)


def _note(
    context: Context, gateway: StripeGateway, connection: Connection, customer_id: str, payment_method_id: str
) -> None:
    now = context.clock.now()
    customer = gateway.get_customer(customer_id)
    method = gateway.get_payment_method(payment_method_id)
    with context.database.organization(connection.organization_id) as session:
        write_customer(session, connection, customer, now)
        write_payment_method(session, connection, method, now)
        for case in _unpaid_cases(session, connection, customer_id):
            note_new_card(session, case, payment_method_id, now, now, "The customer gave a new card.")
            planning.replan(session, case, now)


def _unpaid_cases(session: Session, connection: Connection, customer_id: str) -> list[RecoveryCase]:
    """Every case of a customer whose money may still come, locked in one order so that two callers cannot deadlock."""
    query = (
        select(RecoveryCase.id)
        .join(Customer, Customer.id == RecoveryCase.customer_id)
        .where(
            Customer.connection_id == connection.id,
            Customer.stripe_id == customer_id,
            RecoveryCase.state.in_((*OPEN_CASE_STATES, CaseState.EXHAUSTED)),
        )
        .order_by(RecoveryCase.failed_at, RecoveryCase.id)
    )
    return [cases.lock_case(session, case_id) for case_id in session.scalars(query).all()]
