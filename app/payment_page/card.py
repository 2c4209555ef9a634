"""Another card: out to Stripe's own page at the click, back with a saved card, and everything open paid with it."""

from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.accounts.connections import gateway_for
from app.models import CaseEntry
from app.payment_page.blueprint import payment_page
from app.payment_page.pages import to_outcome, to_page
from app.payment_page.standing import Standing
from app.payment_page.stripe_pages import leave_for
from app.payment_page.visits import Visit, enter, speak
from app.recovery.card_change import use_new_card
from app.stripe_gateway.errors import KeyInUse, NotFound
from app.stripe_gateway.gateway import StripeGateway
from app.vocabulary import Fact

SAME_CLICK = 30  # seconds in which a form sent twice leads to one Checkout session


@payment_page.post("/<token>/card")
def use_another_card(token: str) -> ResponseReturnValue:
    """A fresh page of Stripe's for saving a card; nothing is charged before the customer comes back."""
    visit = enter(token)
    click = visit.click()
    standing = visit.standing()
    if not standing.owed:
        return to_outcome(visit)
    gateway = gateway_for(visit.context, standing.connection)
    key = f"recoup:card:{visit.link.case_id}:{click.name}:{_slot(visit.now)}"
    try:
        url = _checkout(visit, standing, gateway, key)
    except KeyInUse:
        # The first of two clicks is still being answered, to nobody: a second session costs nothing.
        url = _checkout(visit, standing, gateway, f"{key}:again")
    return leave_for(url, speak(standing))


@payment_page.get("/<token>/return")
def come_back(token: str) -> ResponseReturnValue:
    """Back from Stripe with a saved card: put it in force, pay what is open, and show what came of it."""
    visit = enter(token)
    standing = visit.standing()
    gateway = gateway_for(visit.context, standing.connection)
    try:
        setup = gateway.get_card_setup(request.args.get("session_id", ""))
    except NotFound:
        return to_page(visit)
    if setup.customer_id != standing.customer.stripe_id or setup.payment_method_id is None:
        return to_page(visit)
    if not _was_replaced(visit, setup.payment_method_id):
        use_new_card(
            visit.context,
            gateway,
            standing.connection,
            customer_id=standing.customer.stripe_id,
            payment_method_id=setup.payment_method_id,
        )
    return to_outcome(visit)


def _checkout(visit: Visit, standing: Standing, gateway: StripeGateway, key: str) -> str:
    return gateway.create_card_setup_session(
        customer_id=standing.customer.stripe_id,
        currency=standing.owed[0].money.currency,
        success_url=visit.url("/return?session_id={CHECKOUT_SESSION_ID}"),
        cancel_url=visit.url(),
        metadata={
            "recoup_case": str(visit.link.case_id),
            "recoup_organization": str(visit.link.organization_id),
        },
        idempotency_key=key,
    ).url


def _slot(now: datetime) -> int:
    return int(now.timestamp()) // SAME_CLICK


def _was_replaced(visit: Visit, payment_method_id: str) -> bool:
    """Whether a newer card has been given since: an old return address, reloaded, must not bring the old card back."""
    with visit.context.database.organization(visit.link.organization_id) as session:
        cards = session.scalars(
            select(CaseEntry.data["card"].astext)
            .where(CaseEntry.case_id == visit.link.case_id, CaseEntry.name == Fact.NEW_CARD)
            .order_by(CaseEntry.id)
        ).all()
    return payment_method_id in cards and cards[-1] != payment_method_id
