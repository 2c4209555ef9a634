"""Another card: out to Stripe's own page at the click, back with a saved card, and what was shown is paid with it.

The click is held to what the page showed: if more, less or something else is open by now, the page comes again first.
"""

from collections.abc import Callable
from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue

from app.accounts.connections import gateway_for
from app.models import RecoveryCase
from app.payment_page.blueprint import payment_page
from app.payment_page.pages import CHANGED, to_outcome, to_page
from app.payment_page.standing import Standing
from app.payment_page.stripe_pages import leave_for
from app.payment_page.tickets import Click
from app.payment_page.visits import Visit, enter, look_again, speak
from app.recovery import showing
from app.recovery.card_change import GivenFor, NotOurCardPage, use_new_card
from app.stripe_gateway.errors import KeyInUse, NotFound
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.snapshots import CardSetup

SAME_CLICK = 30  # seconds in which a form sent twice leads to one Checkout session


@payment_page.post("/<token>/card")
def use_another_card(token: str) -> ResponseReturnValue:
    """A fresh page of Stripe's for saving a card; nothing is charged before the customer comes back."""
    visit = enter(token)
    click = visit.click()
    standing = look_again(visit)
    instead = unless_as_shown(visit, click, standing)
    if instead is not None:
        return instead
    remember(visit, click)
    gateway = gateway_for(visit.context, standing.connection)
    key = key_of_click(visit, click)
    try:
        url = _checkout(visit, standing, gateway, click, key)
    except KeyInUse:
        # The first of two clicks is still being answered, to nobody: a second session costs nothing.
        url = _checkout(visit, standing, gateway, click, f"{key}:again")
    return leave_for(url, speak(standing))


@payment_page.get("/<token>/return")
def come_back(token: str) -> ResponseReturnValue:
    """Back from Stripe with a saved card: put it in force, pay what is open, and show what came of it."""
    return finish(token, lambda gateway: gateway.get_card_setup(request.args.get("session_id", "")))


def unless_as_shown(visit: Visit, click: Click, standing: Standing) -> ResponseReturnValue | None:
    """What answers a click where what it was about is settled, or is not what the page showed; else None."""
    if not standing.owed:
        return to_outcome(visit)
    return None if click.covers(standing.asked_for) else to_page(visit, CHANGED)


def finish(token: str, read: Callable[[StripeGateway], CardSetup]) -> ResponseReturnValue:
    """Use a card that was saved for this customer from a page of ours, and show what came of it; else back."""
    visit = enter(token)
    standing = visit.standing()
    gateway = gateway_for(visit.context, standing.connection)
    try:
        setup = read(gateway)
        given_for = GivenFor.read(setup.metadata)
    except (NotFound, NotOurCardPage):
        return to_page(visit)
    if setup.customer_id != standing.customer.stripe_id or setup.payment_method_id is None:
        return to_page(visit)
    use_new_card(
        visit.context,
        gateway,
        standing.connection,
        customer_id=standing.customer.stripe_id,
        payment_method_id=setup.payment_method_id,
        given_for=given_for,
    )
    return to_outcome(visit)


def _checkout(visit: Visit, standing: Standing, gateway: StripeGateway, click: Click, key: str) -> str:
    return gateway.create_card_setup_session(
        customer_id=standing.customer.stripe_id,
        currency=standing.spoken_of[0].money.currency,
        success_url=visit.url("/return?session_id={CHECKOUT_SESSION_ID}"),
        cancel_url=visit.url(),
        metadata={
            **GivenFor(visit.link.case_id, click.name).write(),
            "recoup_organization": str(visit.link.organization_id),
        },
        idempotency_key=key,
    ).url


def remember(visit: Visit, click: Click) -> None:
    """Write down what the page showed when the customer went off to give a card."""
    with visit.context.database.organization(visit.link.organization_id) as session:
        case = session.get_one(RecoveryCase, visit.link.case_id)
        showing.remember(session, case, click.name, click.shown, visit.now)


def key_of_click(visit: Visit, click: Click) -> str:
    """The idempotency key of going off to give a card: a form sent twice at once leads to one place."""
    return f"recoup:card:{visit.link.case_id}:{click.name}:{_slot(visit.now)}"


def _slot(now: datetime) -> int:
    return int(now.timestamp()) // SAME_CLICK
