"""One more try of the card on file, because its holder asks for it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.campaigns.definition import MONTHLY
from app.payment_page import trying
from app.vocabulary import CaseState, HoldKind, RecoveredBy
from tests.integration.payment_page.conftest import Payer, hold, link_for, make_payer
from tests.stage import Stage


def test_topped_up_the_card_on_file_pays_now(stage: Stage) -> None:
    payer = _after_a_pause(make_payer(stage, "insufficient_funds", "approve"))
    page = payer.see()
    assert "Try my card again" in page.text
    assert "Thank you, all settled" in payer.follow(payer.press("pay-now", page)).text
    assert payer.case.recovered_by is RecoveredBy.RETRY
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_a_temporary_trouble_makes_trying_again_the_first_button(stage: Stage) -> None:
    payer = _after_a_pause(make_payer(stage, "processing_error", "approve"))
    assert list(payer.forms(payer.see()))[:2] == ["pay-now", "card"]


def test_a_try_that_is_declined_is_offered_again_at_once_for_no_bill_of_its_holder(payer: Payer) -> None:
    payer.stage.fail(payer.customer, "insufficient_funds")
    _after_a_pause(payer)
    before = len(payer.charges())
    page = payer.see()
    assert "Charges €98.00 to your card" in page.text
    outcome = payer.follow(payer.press("pay-now", page))
    assert "The payment didn’t go through" in outcome.text
    assert "pay-now" not in payer.forms(payer.see())
    assert len(payer.charges()) == before + 1


@pytest.mark.long
def test_a_form_sent_twice_is_one_try(payer: Payer) -> None:
    _after_a_pause(payer)
    page, before = payer.see(), len(payer.charges())
    with ThreadPoolExecutor(2) as hands:
        answers = list(hands.map(lambda _hand: payer.press("pay-now", page), range(2)))
    assert {answer.status_code for answer in answers} == {303}
    _after_a_pause(payer)
    payer.press("pay-now", page)
    assert len(payer.charges()) == before + 1


def test_one_click_pays_several_bills(stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds")
    stage.fail(payer.customer, "insufficient_funds", "approve")
    _after_a_pause(payer)
    assert "Your payment of €98.00" in payer.follow(payer.press("pay-now")).text
    assert payer.paid_charges_of_renewals() == 2


def test_a_dead_card_is_not_tried_and_the_page_kindly_asks_for_another(stage: Stage) -> None:
    payer = _after_a_pause(make_payer(stage, "lost_card"))
    page, before = payer.see(), len(payer.charges())
    assert "pay-now" not in payer.forms(page)
    ticket = payer.forms(page)["card"]
    answer = payer.http.post(f"{payer.url}/pay-now", data={"ticket": ticket}, timeout=30)
    assert "The card on file can’t be tried again right now." in answer.text
    same_number = payer.pay_with("pm_card_visa")
    assert "This card can’t be used for it, so we haven’t tried it." in same_number.text
    assert "Another card is needed" in payer.see().text
    assert len(payer.charges()) == before


@pytest.mark.long
def test_the_bank_can_be_given_its_approval_in_the_grace_as_well(stage: Stage) -> None:
    stage.use_campaign(MONTHLY.model_copy(update={"window_days": 2, "grace_days": 5, "messages": ()}))
    payer = make_payer(stage, "requires_action")
    stage.advance(days=3)
    assert payer.case.state is CaseState.EXHAUSTED
    page = payer.see()
    assert "Your bank asks for your approval" in page.text
    answer = payer.press("approve", page)
    assert f"/i/{payer.invoice}" in answer.headers["Location"]


@pytest.mark.long
def test_while_a_hold_lasts_the_card_on_file_is_left_alone(payer: Payer) -> None:
    hold(payer, HoldKind.DISPUTE)
    _after_a_pause(payer)
    assert {"pay-now", "day"}.isdisjoint(payer.forms(payer.see()))


@pytest.mark.long
def test_only_so_many_tries_a_day_are_given_to_one_customer(payer: Payer) -> None:
    pressed = 0
    for _ in range(trying.MOST_A_DAY + 2):
        _after_a_pause(payer)
        page = payer.see()
        if "pay-now" in payer.forms(page):
            payer.press("pay-now", page)
            pressed += 1
    assert pressed == trying.MOST_A_DAY
    assert payer.case.state is CaseState.WAITING


def _after_a_pause(payer: Payer) -> Payer:
    payer.stage.control("clock", to=(payer.stage.now + trying.PAUSE * 1.1).isoformat())
    payer.stage.settle()
    payer.url = link_for(payer.stage, payer.case)
    return payer
