"""Customers on one of Stripe's test clocks, whose payments are dated years ahead of everybody else's."""

from datetime import timedelta

from app.models import InboxEvent
from app.vocabulary import CaseState
from tests.stage import Stage


def test_a_payment_that_is_dated_years_ahead_becomes_a_case_of_today(stage: Stage) -> None:
    price = stage.customer()["price"]
    frozen = int((stage.now + timedelta(days=4 * 365)).timestamp())
    clock = stage.stripe("POST", "test_helpers/test_clocks", frozen_time=frozen)["id"]
    robin = stage.stripe("POST", "customers", test_clock=clock, email="robin@example.com")["id"]
    good, bad = ("pm_card_visa", "pm_card_chargeCustomerFail")
    for card in (good, bad):
        method = stage.stripe("POST", f"payment_methods/{card}/attach", customer=robin)["id"]
        stage.stripe("POST", f"customers/{robin}", **{"invoice_settings[default_payment_method]": method})
        if card == good:
            made = stage.stripe("POST", "subscriptions", **{"customer": robin, "items[0][price]": price})["id"]
    stage.stripe("POST", f"test_helpers/test_clocks/{clock}/advance", frozen_time=frozen + 32 * 24 * 3600)
    while stage.stripe("GET", f"test_helpers/test_clocks/{clock}")["status"] != "ready":
        stage.settle()
    stage.settle()
    invoice = stage.stripe("GET", f"invoices?subscription={made}&status=open")["data"][0]["id"]
    case = stage.case(invoice)
    assert case.state is CaseState.WAITING
    assert max(one.started_at for one in stage.attempts(invoice)) <= stage.now
    assert not stage.rows(InboxEvent, InboxEvent.faults > 0)
