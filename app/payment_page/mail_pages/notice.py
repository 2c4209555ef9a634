"""What a notice leads to, as things stand when it is opened: a new card before the next charge, or open invoices.

Nothing is charged here. An invoice is paid on Stripe's own page, whose address is asked for when it is pressed, because
the one in an old mail would have ended; a card is saved on Stripe's page and put in force.
"""

from contextlib import suppress
from uuid import UUID

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.accounts.connections import gateway_for
from app.links import LinkInvalid, read_notice_token
from app.messages import notice_rules, notices
from app.messages.notices import Notice
from app.models import Connection, Invoice, Message
from app.payment_page.mail_pages.door import Caller, MailPageVoice, let_in, mail_pages
from app.payment_page.stripe_pages import leave_for
from app.recovery import card_ahead
from app.recovery.projections import StaleReading, write_invoice
from app.stripe_gateway.errors import NotFound
from app.stripe_gateway.gateway import StripeGateway

SAME_CLICK = 30  # seconds in which a form sent twice leads to one Checkout session


@mail_pages.get("/notice/<token>")
def show(token: str) -> ResponseReturnValue:
    """The card or the invoices that the notice was about, as they are now."""
    return _page(let_in(read_notice_token, token), token)


@mail_pages.post("/notice/<token>/card")
def add_card(token: str) -> ResponseReturnValue:
    """A fresh page of Stripe's for saving a card."""
    caller = let_in(read_notice_token, token)
    with caller.context.database.organization(caller.link.organization_id) as session:
        notice, voice = _open(caller, session)
        customer, subscription, connection = notice.customer, notice.subscription, notice.connection
    slot = int(caller.now.timestamp()) // SAME_CLICK
    page = gateway_for(caller.context, connection).create_card_setup_session(
        customer_id=customer.stripe_id,
        currency=(subscription.currency if subscription else None) or customer.currency or "usd",
        success_url=f"{caller.context.settings.base_url()}/notice/{token}/saved?session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{caller.context.settings.base_url()}/notice/{token}",
        metadata=card_ahead.mark(caller.link),
        idempotency_key=f"recoup:notice:{caller.link.message_id}:{slot}",
    )
    return leave_for(page.url, voice)


@mail_pages.get("/notice/<token>/saved")
def come_back(token: str) -> ResponseReturnValue:
    """Back from Stripe with a saved card: put it in force, and say what that means."""
    caller = let_in(read_notice_token, token)
    with caller.context.database.organization(caller.link.organization_id) as session:
        notice, _ = _open(caller, session)
        customer_id, connection = notice.customer.stripe_id, notice.connection
    gateway = gateway_for(caller.context, connection)
    try:
        setup = gateway.get_card_setup(request.args.get("session_id", ""))
    except NotFound:
        return _page(caller, token)
    is_theirs = setup.customer_id == customer_id and card_ahead.is_ours(setup.metadata)
    if not is_theirs or setup.payment_method_id is None:
        return _page(caller, token)
    card_ahead.put_in_force(caller.context, gateway, connection, customer_id, setup.payment_method_id)
    return _page(caller, token, is_saved=True)


@mail_pages.post("/notice/<token>/invoices/<uuid:invoice_id>")
def pay_invoice(token: str, invoice_id: UUID) -> ResponseReturnValue:
    """On to Stripe's page of one of the customer's own invoices, by its address of today."""
    caller = let_in(read_notice_token, token)
    with caller.context.database.organization(caller.link.organization_id) as session:
        notice, voice = _open(caller, session)
        own = [one for one in notices.invoices_to_pay(session, notice, caller.now) if one.id == invoice_id]
        stripe_id = own[0].stripe_id if own else None
    if stripe_id is None:
        return redirect(f"/notice/{token}", code=303)
    url = _address_now(caller, gateway_for(caller.context, notice.connection), notice.connection, stripe_id)
    return leave_for(url, voice) if url else redirect(f"/notice/{token}", code=303)


def _address_now(caller: Caller, gateway: StripeGateway, connection: Connection, stripe_id: str) -> str | None:
    """Stripe's page for an invoice; None where there is nothing to pay on it any more."""
    snapshot = gateway.get_invoice(stripe_id)
    rows = caller.context.database.organization(caller.link.organization_id)
    with suppress(StaleReading), rows as session:  # stale: somebody read it just now, and wrote down the same
        write_invoice(session, session.get_one(Connection, connection.id), snapshot, caller.now)
    return snapshot.hosted_invoice_url if snapshot.status == "open" else None


def _open(caller: Caller, session: Session) -> tuple[Notice, MailPageVoice]:
    message: Message = caller.message(session)
    if message.case_id is not None:
        raise LinkInvalid("this mail is about a case")
    notice = notices.read_notice(session, message)
    facts = notices.notice_facts(session, caller.context.settings, notice, message, caller.now)
    return notice, MailPageVoice(facts)


def _page(caller: Caller, token: str, *, is_saved: bool = False) -> str:
    with caller.context.database.organization(caller.link.organization_id) as session:
        notice, voice = _open(caller, session)
        invoices: list[Invoice] = []
        said = "saved"
        if notice.subscription is not None and not is_saved:
            card = notices.card_in_use(session, notice.subscription, notice.customer)
            is_dying = notice_rules.why_card_is_no_news(card, notice.settings, caller.now) is None
            said = "card" if is_dying else "card_good"
        elif not is_saved:
            invoices = notices.invoices_to_pay(session, notice, caller.now)
            said = "invoices" if invoices else "nothing"
    page: str = render_template(
        "payment_page/mail_notice.html",
        voice=voice,
        merchant=voice.facts.merchant,
        said=said,
        invoices=invoices,
        now=caller.now,
        base=f"/notice/{token}",
    )
    return page
