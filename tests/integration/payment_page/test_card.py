"""Another card, from the button to the outcome."""

from collections.abc import Callable

from app.vocabulary import CaseState, RecoveredBy
from tests.integration.payment_page.conftest import Payer


def test_another_card_pays_at_once_and_the_page_says_so(payer: Payer) -> None:
    page = payer.see()
    assert page.status_code == 200
    assert "€49.00" in page.text
    assert "Hi Anna" in page.text
    outcome = payer.pay_with("pm_card_visa")
    assert outcome.status_code == 200
    assert "Thank you, all settled" in outcome.text
    assert payer.case.state is CaseState.RECOVERED
    assert payer.case.recovered_by is RecoveredBy.NEW_CARD
    assert payer.paid_charges_of_renewals() == 1
