"""Settling it with the card on file: the bank's approval on Stripe's page, or one more try here and now."""

from flask.typing import ResponseReturnValue

from app.accounts.connections import gateway_for
from app.payment_page import trying
from app.payment_page.bills import Stage
from app.payment_page.blueprint import payment_page
from app.payment_page.card import unless_as_shown
from app.payment_page.pages import CARD_NEEDED, to_outcome, to_page
from app.payment_page.standing import Standing
from app.payment_page.stripe_pages import leave_for
from app.payment_page.tickets import Click
from app.payment_page.visits import Visit, enter, look_again, speak
from app.recovery.card_change import run_due_retry


@payment_page.post("/<token>/approve")
def approve(token: str) -> ResponseReturnValue:
    """To the page of Stripe's on which the bank asks its customer; the address is read at the click, as it ends."""
    visit = enter(token)
    visit.click()
    standing = visit.standing()
    if not standing.waiting:
        return to_outcome(visit)
    invoice = gateway_for(visit.context, standing.connection).get_invoice(standing.waiting[0].invoice_stripe_id)
    if invoice.status != "open":
        return to_outcome(visit)
    return leave_for(invoice.hosted_invoice_url, speak(standing))


@payment_page.post("/<token>/pay-now")
def pay_now(token: str) -> ResponseReturnValue:
    """Charge the card on file for what is open, oldest first, until it is declined."""
    visit = enter(token)
    click = visit.click()
    standing = look_again(visit)
    instead = unless_as_shown(visit, click, standing)
    if instead is not None:
        return instead
    has_tried = _try_each(visit, standing, click)
    if has_tried or visit.standing().at(Stage.WORKING) or not visit.standing().owed:
        return to_outcome(visit)
    return to_page(visit, CARD_NEEDED)


def _try_each(visit: Visit, standing: Standing, click: Click) -> bool:
    has_tried = False
    for bill in standing.bills:
        if not bill.can_try_again or bill.invoice_stripe_id not in click.to_try:
            continue
        if not trying.ask(visit.context, visit.link.organization_id, bill.case_id, click, bill.money):
            continue
        has_tried = True
        run_due_retry(visit.context, visit.link.organization_id, bill.case_id)
        after = {other.case_id: other.stage for other in visit.standing().bills}
        if after.get(bill.case_id) is not Stage.PAID:
            break  # the same card would only be declined again
    return has_tried
