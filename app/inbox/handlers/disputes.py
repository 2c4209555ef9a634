"""Chargebacks and early fraud warnings: stop asking this customer for money until it is settled."""

from uuid import UUID

from app.inbox.handlers.arrival import Arrival
from app.inbox.handlers.looking_up import find_customer
from app.recovery import holds
from app.recovery.projections import write_customer
from app.vocabulary import HoldKind

OPENED = ("charge.dispute.created", "radar.early_fraud_warning.created")
CLOSED = ("charge.dispute.closed",)
TYPES = (*OPENED, *CLOSED)


def handle(arrival: Arrival) -> str:
    """Hold the customer when a dispute begins, let go when it ends."""
    customer_id = _customer_id(arrival)
    if customer_id is None:
        return "a payment of nobody"
    # a customer not known yet is written down: should a payment of theirs fail next, the hold must be there already
    known = find_customer(arrival, customer_id)
    customer_row = known.id if known else _write_customer(arrival, customer_id)
    key = f"dispute:{arrival.event.object_id}"
    now = arrival.context.clock.now()
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        if arrival.event.type in CLOSED:
            hold = holds.find(session, customer_row, key)
            if hold is None:
                holds.place(
                    session,
                    organization_id=arrival.connection.organization_id,
                    customer_id=customer_row,
                    case_id=None,
                    kind=HoldKind.DISPUTE,
                    key=key,
                    reason="A payment was disputed with the bank; it was settled before Recoup heard of it.",
                    until=now,
                    by="stripe",
                    now=now,
                )
                return "a dispute that was over already"
            return "let go" if holds.release(session, hold, "the dispute is settled", now) else "let go before"
        placed = holds.place(
            session,
            organization_id=arrival.connection.organization_id,
            customer_id=customer_row,
            case_id=None,
            kind=HoldKind.DISPUTE,
            key=key,
            reason="A payment was disputed with the bank.",
            until=None,
            by="stripe",
            now=now,
        )
        return "held" if placed else "held before"


def _write_customer(arrival: Arrival, customer_id: str) -> UUID:
    now = arrival.context.clock.now()
    snapshot = arrival.gateway.get_customer(customer_id)
    with arrival.context.database.organization(arrival.connection.organization_id) as session:
        return write_customer(session, arrival.connection, snapshot, now).id


def _customer_id(arrival: Arrival) -> str | None:
    charge_id = arrival.carried_id("charge")
    return arrival.gateway.find_customer_of_charge(charge_id) if charge_id else None
