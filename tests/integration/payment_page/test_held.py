"""While a hold forbids charging, the page says so: before a card is given, after it, and about what comes next."""

from typing import Any

from app.vocabulary import CaseState, HoldKind, RecoveredBy
from tests.integration.payment_page.conftest import Payer, hold, make_payer
from tests.stage import Stage

SETTLED = "once the question about an earlier payment is settled. Nothing is charged before that"


def dispute(payer: Payer) -> dict[str, Any]:
    """The customer disputes what they paid for the month before."""
    invoices = payer.stage.stripe("GET", f"invoices?customer={payer.customer}")["data"]
    paid = next(invoice["id"] for invoice in invoices if invoice["status"] == "paid")
    made = payer.stage.control(f"invoices/{paid}/dispute")
    payer.stage.settle()
    return made


def test_during_a_dispute_a_card_is_kept_and_pays_when_that_is_settled(stage: Stage) -> None:
    payer = make_payer(stage, "expired_card")
    made = dispute(payer)
    page = payer.see().text
    assert f"Your card is saved there now and pays €49.00 {SETTLED}." in page
    assert "right away" not in page
    assert "What happens next" not in page
    outcome = payer.pay_with().text
    assert "Your card is saved" in outcome
    assert f"We’ll use it for the open payment {SETTLED}" in outcome
    assert "right away" not in outcome
    stage.advance(days=2)
    assert payer.paid_charges_of_renewals() == 0
    stage.control(f"disputes/{made['id']}/close", status="won")
    stage.settle()
    assert (payer.case.state, payer.case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.NEW_CARD)


def test_under_a_hold_with_an_end_the_page_names_its_day_and_the_card_pays_then(stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds")
    hold(payer, HoldKind.SNOOZE, days=4)
    page = payer.see().text
    assert "We try your card again." not in page
    assert "Your card is saved there now and pays €49.00 on " in page
    assert "pay-now" not in payer.forms(payer.see())
    assert "We’ll use it for the open payment on " in payer.pay_with().text
    assert payer.paid_charges_of_renewals() == 0
    stage.advance(days=4, hours=1)
    assert payer.case.recovered_by is RecoveredBy.NEW_CARD


def test_where_only_one_of_two_bills_is_held_the_page_asks_for_the_other_and_a_card_pays_that(stage: Stage) -> None:
    payer = make_payer(stage, "expired_card")
    hold(payer, HoldKind.SNOOZE, days=4)
    other = stage.fail(payer.customer, "expired_card")
    page = payer.see().text
    assert "it pays €49.00 right away" in page
    assert "€98.00" not in page
    assert "On hold for now" in page
    assert "Nothing is charged for this one before " in page
    outcome = payer.pay_with().text
    assert "Thank you, that’s paid" in outcome
    assert "Your payment of €49.00 to Acme went through." in outcome
    assert "Nothing is charged for this one before " in outcome
    assert (stage.case(other).state, payer.case.state) == (CaseState.RECOVERED, CaseState.WAITING)
