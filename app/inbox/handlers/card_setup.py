"""A customer finished our card page: the same work as the return page does, whichever comes first."""

from app.inbox.handlers.arrival import Arrival
from app.recovery import card_ahead
from app.recovery.card_change import OWN_FORM, GivenFor, NotOurCardPage, use_new_card
from app.stripe_gateway.snapshots import CardSetup

TYPES = ("checkout.session.completed", "setup_intent.succeeded")


def handle(arrival: Arrival) -> str:
    """Put the saved card in force and pay what is open, if the session was ours."""
    if not arrival.event.object_id:
        return "the event names no session"
    setup = _read(arrival, arrival.event.object_id)
    if setup is None:
        return "a page of Stripe's, which tells of itself"
    if setup.customer_id is None or setup.payment_method_id is None:
        return "no card was saved"
    if card_ahead.is_ours(setup.metadata):
        customer_id, card_id = setup.customer_id, setup.payment_method_id
        card_ahead.put_in_force(arrival.context, arrival.gateway, arrival.connection, customer_id, card_id)
        return "new card in force before the next charge"
    try:
        change = use_new_card(
            arrival.context,
            arrival.gateway,
            arrival.connection,
            customer_id=setup.customer_id,
            payment_method_id=setup.payment_method_id,
            given_for=GivenFor.read(setup.metadata),
        )
    except NotOurCardPage as problem:
        return f"not taken: {problem}"
    if not change.is_in_force:
        return "not taken: the customer has given another card since"
    return f"new card in force; {len(change.states)} invoice(s) tried"


def _read(arrival: Arrival, object_id: str) -> CardSetup | None:
    """The saved card; None for the intent inside a Checkout session, whose own event says more."""
    if arrival.event.type != "setup_intent.succeeded":
        return arrival.gateway.get_card_setup(object_id)
    setup = arrival.gateway.get_setup_intent(object_id)
    return setup if setup.metadata.get(OWN_FORM) else None
