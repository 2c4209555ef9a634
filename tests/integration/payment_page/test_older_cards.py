"""Of two cards that a customer gives, the one given last stays in force, in whatever order Recoup hears of them."""

from datetime import timedelta

from app.models import InboxEvent
from tests.integration.payment_page.conftest import Payer
from tests.stage import Stage

DECLINED = "pm_card_chargeCustomerFail"


def default_card(stage: Stage, payer: Payer) -> str:
    customer = stage.stripe("GET", f"customers/{payer.customer}")
    return str(customer["invoice_settings"]["default_payment_method"])


def test_news_of_an_older_card_brings_it_back_neither_by_webhook_nor_by_its_address(stage: Stage, payer: Payer) -> None:
    way_back = payer.save_card(payer.press("card"), DECLINED)  # and the tab is closed; the webhook waits
    stage.control("clock", to=(stage.now + timedelta(seconds=45)).isoformat())
    assert "Thank you, all settled" in payer.pay_with("pm_card_mastercard").text
    good = default_card(stage, payer)
    stage.settle()
    (late,) = stage.rows(InboxEvent, InboxEvent.outcome.startswith("not taken: the customer has given another"))
    assert late.type == "checkout.session.completed"
    assert default_card(stage, payer) == good
    assert "Thank you, all settled" in payer.follow(payer.http.get(way_back, allow_redirects=False, timeout=30)).text
    assert default_card(stage, payer) == good
    assert payer.paid_charges_of_renewals() == 1


def test_a_card_given_behind_an_earlier_payments_link_does_not_come_back_either(stage: Stage, payer: Payer) -> None:
    way_back = payer.save_card(payer.press("card"), DECLINED)
    payer.follow(payer.http.get(way_back, allow_redirects=False, timeout=30))
    stage.settle()
    tried = default_card(stage, payer)
    stage.stripe("POST", f"invoices/{payer.invoice}/pay", paid_out_of_band="true")
    stage.advance(days=1)
    # a card saved at Stripe itself, where no page of ours has seen it
    newer = stage.stripe("POST", "payment_methods/pm_card_visa/attach", customer=payer.customer)["id"]
    stage.stripe("POST", f"customers/{payer.customer}", **{"invoice_settings[default_payment_method]": newer})
    stage.settle()
    payer.follow(payer.http.get(way_back, allow_redirects=False, timeout=30))
    assert tried != newer == default_card(stage, payer)
