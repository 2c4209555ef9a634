"""A customer gave a new card: make it the one in force everywhere, then pay what they were shown, oldest first.

The page, the webhook and a repeated click all come here, in any order and at once: defaults are set again without
harm, the card is news to each case once, and each case's one retry step is won by one of them. What the page did not
show is found and gets its case, but is not charged at once (`showing`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.context import Context
from app.errors import RecoupError
from app.failpoints import failpoint
from app.models import Connection, Customer, Invoice, RecoveryCase
from app.recovery import card_ahead, cases, planning, running, showing, steps
from app.recovery.attempts import note_new_card
from app.recovery.observing import is_lapsed, observe_invoice
from app.recovery.projections import write_customer, write_payment_method
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.snapshots import PaymentMethodSnapshot
from app.vocabulary import OPEN_CASE_STATES, CaseState, StepKind

OWN_FORM = "recoup_form"  # in the metadata of an intent that was made for Stripe's form in a page of ours
UNPAID = (*OPEN_CASE_STATES, CaseState.EXHAUSTED)


class NotOurCardPage(RecoupError):
    """A saved card comes from a page that no case of this organization sent its customer to."""


@dataclass(frozen=True)
class GivenFor:
    """Whose page a card was given on, and the name of what it showed; it travels in the Checkout session's metadata."""

    case_id: UUID
    showing: str | None

    @classmethod
    def read(cls, metadata: Mapping[str, str]) -> Self:
        """From the metadata of a session; raises `NotOurCardPage`."""
        try:
            return cls(UUID(metadata["recoup_case"]), metadata.get("recoup_showing"))
        except (KeyError, ValueError) as problem:
            raise NotOurCardPage("the session names no case of ours") from problem

    def write(self) -> dict[str, str]:
        """The metadata that `read` takes."""
        return {"recoup_case": str(self.case_id), "recoup_showing": self.showing or ""}


@dataclass(frozen=True)
class CardChange:
    """What a new card came to: the cases it was tried for, oldest debt first, with the state each is in now.

    A card that another one has replaced is not in force, and was tried for none.
    """

    states: tuple[tuple[UUID, CaseState], ...]
    is_in_force: bool = True


REPLACED = CardChange((), is_in_force=False)


def use_new_card(
    context: Context,
    gateway: StripeGateway,
    connection: Connection,
    *,
    customer_id: str,
    payment_method_id: str,
    given_for: GivenFor,
) -> CardChange:
    """Put a saved card in force for a Stripe customer and charge with it what they were shown, oldest first.

    Of a card that was given before another one, however late we hear of it, nothing comes but a line on the timeline.
    Raises `NotOurCardPage` and `GatewayError`; whatever was done stays done, and calling it again goes on from there.
    """
    method = gateway.get_payment_method(payment_method_id)
    # before the card is in force, and any reading could take it for one that may be charged for everything
    last = _join_to_showing(context, connection, method, given_for)
    if last != payment_method_id or card_ahead.is_outdated(gateway, customer_id, method):
        return REPLACED
    failpoint("card_change.before_defaults")
    gateway.set_default_payment_method(customer_id, payment_method_id)
    failpoint("card_change.after_defaults")
    last = _join_to_showing(context, connection, method, given_for)
    if last != payment_method_id:  # given while we were at it, and perhaps put in force before ours was
        gateway.set_default_payment_method(customer_id, last)
        return REPLACED
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
    """Read every open invoice that lapsed, open a case for those without, and run the tries due now, oldest first."""
    seen: dict[UUID, None] = {}
    known = _known_debts(context, connection, customer_id)
    for invoice in gateway.list_open_invoices(customer_id=customer_id):
        if invoice.id not in known and not is_lapsed(invoice):
            continue
        case_id = observe_invoice(context, gateway, connection, invoice.id)
        if case_id is not None:
            run_due_retry(context, connection.organization_id, case_id)
            seen[case_id] = None
    with context.database.organization(connection.organization_id) as session:
        rows = session.scalars(select(RecoveryCase).where(RecoveryCase.id.in_(seen))).all()
        by_id = {row.id: row.state for row in rows}
    return CardChange(tuple((case_id, by_id[case_id]) for case_id in seen))


def look_for_changes(context: Context, gateway: StripeGateway, connection: Connection, customer_id: str) -> None:
    """Bring the rows of a customer's debts into line with Stripe, by one list where nothing has changed.

    A lapsed invoice that Recoup never heard of gets its case here. Raises `GatewayError` and `StaleReading`.
    """
    known = _known_debts(context, connection, customer_id)
    at_stripe = {invoice.id: invoice for invoice in gateway.list_open_invoices(customer_id=customer_id)}
    changed = [
        invoice.id
        for invoice in at_stripe.values()
        if (invoice.id in known or is_lapsed(invoice)) and known.get(invoice.id) != ("open", invoice.amount_remaining)
    ]
    for invoice_id in (*changed, *(known.keys() - at_stripe.keys())):
        observe_invoice(context, gateway, connection, invoice_id)


def _known_debts(context: Context, connection: Connection, customer_id: str) -> dict[str, tuple[str, int]]:
    """Status and open amount, as we have them, of each invoice whose case still waits for money."""
    query = (
        select(Invoice.stripe_id, Invoice.status, Invoice.amount_remaining)
        .join(RecoveryCase, RecoveryCase.invoice_id == Invoice.id)
        .where(
            Invoice.connection_id == connection.id,
            Invoice.customer_stripe_id == customer_id,
            RecoveryCase.state.in_(UNPAID),
        )
    )
    with context.database.organization(connection.organization_id) as session:
        return {stripe_id: (status, minor) for stripe_id, status, minor in session.execute(query)}


def run_due_retry(context: Context, organization_id: UUID, case_id: UUID) -> None:
    """Carry out a case's retry step here and now if it is due and nobody else has begun it."""
    run_due_step(context, organization_id, case_id, StepKind.RETRY)


def run_due_step(context: Context, organization_id: UUID, case_id: UUID, kind: StepKind) -> None:
    """Carry out the first due step of a kind here and now; left to whoever has begun it otherwise."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        due = [step for step in steps.open_steps(session, case_id, kind) if step.due_at <= now]
        claim = steps.claim_one(session, due[0], now) if due else None
    if claim is not None:
        running.run(context, claim)


def _join_to_showing(
    context: Context, connection: Connection, method: PaymentMethodSnapshot, given_for: GivenFor
) -> str:
    """Write down that the card was given, once; the card that this customer gave last."""
    now = context.clock.now()
    with context.database.organization(connection.organization_id) as session:
        case = session.get(RecoveryCase, given_for.case_id)
        if case is None or case.connection_id != connection.id:
            raise NotOurCardPage("the session's case is none of this connection's")
        showing.give_card(session, case, given_for.showing, method.id, method.created or now, now)
        return showing.last_card(session, case)


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
            RecoveryCase.state.in_(UNPAID),
        )
        .order_by(RecoveryCase.failed_at, RecoveryCase.id)
    )
    return [cases.lock_case(session, case_id) for case_id in session.scalars(query).all()]
