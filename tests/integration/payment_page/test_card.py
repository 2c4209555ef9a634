"""Another card, from the button to the outcome: one charge and the right words, however clumsily it is clicked."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from app.payment_page.card import SAME_CLICK
from app.settings import Settings
from app.vocabulary import CaseState, ConnectionMode, HoldKind, RecoveredBy
from tests.house import House
from tests.integration.payment_page.conftest import Payer, hold, make_payer
from tests.stage import Stage, open_stage


def test_another_card_pays_at_once_and_the_page_says_so(payer: Payer) -> None:
    page = payer.see()
    assert "€49.00" in page.text
    assert "Hi Anna" in page.text
    outcome = payer.pay_with("pm_card_visa")
    assert "Thank you, all settled" in outcome.text
    assert "Your payment of €49.00 to Acme went through" in outcome.text
    assert payer.case.state is CaseState.RECOVERED
    assert payer.case.recovered_by is RecoveredBy.NEW_CARD
    assert payer.paid_charges_of_renewals() == 1
    assert "Thank you, all settled" in payer.see().text


def test_the_new_card_is_the_one_in_force_everywhere(stage: Stage) -> None:
    payer = make_payer(stage, "expired_card", card_on="subscription")
    payer.pay_with("pm_card_mastercard")
    customer = stage.stripe("GET", f"customers/{payer.customer}")
    subscription = stage.stripe("GET", f"subscriptions?customer={payer.customer}")["data"][0]
    in_force = customer["invoice_settings"]["default_payment_method"]
    assert subscription["default_payment_method"] == in_force
    assert stage.stripe("GET", f"payment_methods/{in_force}")["card"]["brand"] == "mastercard"


@pytest.mark.long
def test_a_card_that_is_declined_too_can_be_followed_by_one_that_works(payer: Payer) -> None:
    outcome = payer.pay_with("pm_card_chargeDeclinedInsufficientFunds")
    assert "The payment didn’t go through" in outcome.text
    assert "There wasn’t enough available on the card just now." in outcome.text
    assert "card" in payer.forms(outcome)
    assert payer.case.state is CaseState.WAITING
    back = payer.save_card(payer.press("card", outcome), "pm_card_visa")
    assert "Thank you, all settled" in payer.follow(payer.http.get(back, timeout=30)).text
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_coming_back_twice_charges_once(payer: Payer) -> None:
    back = payer.save_card(payer.press("card"))
    for _ in range(3):
        assert "Thank you, all settled" in payer.http.get(back, timeout=30).text
    assert payer.paid_charges_of_renewals() == 1


def test_coming_back_in_two_tabs_at_once_charges_once(payer: Payer) -> None:
    back = payer.save_card(payer.press("card"))
    with ThreadPoolExecutor(4) as tabs:
        pages = list(tabs.map(lambda _tab: payer.http.get(back, timeout=60), range(4)))
    assert {page.status_code for page in pages} == {200}
    payer.stage.settle()
    assert "Thank you, all settled" in payer.see("/outcome").text
    assert payer.paid_charges_of_renewals() == 1


def test_the_webhook_may_be_first_and_the_customer_never_come_back(payer: Payer) -> None:
    back = payer.save_card(payer.press("card"))
    payer.stage.settle()
    assert payer.case.state is CaseState.RECOVERED
    assert "Thank you, all settled" in payer.http.get(back, timeout=30).text
    assert payer.paid_charges_of_renewals() == 1


def test_a_double_click_leads_to_one_checkout_session(payer: Payer) -> None:
    page = payer.see()
    while int(payer.stage.now.timestamp()) % SAME_CLICK > SAME_CLICK - 5:
        payer.stage.control("clock", to=_later(payer.stage, seconds=6))
    first, second = payer.press("card", page), payer.press("card", page)
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert len(_sessions(payer)) == 1


@pytest.mark.long
def test_two_clicks_at_the_same_moment_both_arrive(payer: Payer) -> None:
    page = payer.see()
    with ThreadPoolExecutor(2) as hands:
        answers = list(hands.map(lambda _hand: payer.press("card", page), range(2)))
    assert [answer.status_code for answer in answers] == [303, 303]


@pytest.mark.long
def test_a_later_visit_gets_a_fresh_session(payer: Payer) -> None:
    assert payer.press("card").headers["Location"] != payer.press("card").headers["Location"]


def test_all_that_is_open_is_one_page_and_is_paid_together(payer: Payer) -> None:
    second = payer.stage.fail(payer.customer, "insufficient_funds")
    page = payer.see()
    assert "€98.00" in page.text
    assert page.text.count('class="sum"') == 2
    outcome = payer.pay_with()
    assert "Your payment of €98.00 to Acme went through" in outcome.text
    assert outcome.text.count("status paid") == 2
    assert payer.stage.case(second).state is CaseState.RECOVERED
    assert payer.paid_charges_of_renewals() == 2


@pytest.mark.long
def test_a_session_that_was_left_unfinished_changes_nothing(payer: Payer) -> None:
    session = payer.press("card").headers["Location"].rsplit("/", 1)[-1]
    answer = payer.see(f"/return?session_id={session}")
    assert answer.headers["Location"] == payer.url
    assert payer.case.state is CaseState.WAITING


def test_somebody_elses_session_is_not_taken(stage: Stage, payer: Payer) -> None:
    other = make_payer(stage, "insufficient_funds", name="Bo Berg", email="bo@example.com")
    theirs = other.save_card(other.press("card")).rsplit("session_id=", 1)[-1]
    for session in (theirs, "cs_test_nobody", ""):
        answer = payer.see(f"/return?session_id={session}")
        assert answer.status_code == 303
        assert answer.headers["Location"] == payer.url
    assert payer.paid_charges_of_renewals() == 0
    assert other.paid_charges_of_renewals() == 0


@pytest.mark.long
def test_an_old_return_address_does_not_bring_the_old_card_back(payer: Payer) -> None:
    old = payer.save_card(payer.press("card"), "pm_card_chargeDeclinedInsufficientFunds")
    payer.http.get(old, timeout=30)
    payer.pay_with("pm_card_mastercard")
    payer.stage.settle()
    in_force = _default_card(payer)
    assert "Thank you, all settled" in payer.http.get(old, timeout=30).text
    assert _default_card(payer) == in_force


def test_a_card_that_wants_approval_is_approved_on_stripes_page(payer: Payer) -> None:
    outcome = payer.pay_with("pm_card_authenticationRequired")
    assert "Your bank asks for your approval" in outcome.text
    to_bank = payer.press("approve", outcome)
    assert to_bank.status_code == 303
    payer.http.post(to_bank.headers["Location"], data={"answer": "approve"}, timeout=30)
    payer.stage.control("clock", to=_later(payer.stage, seconds=10))
    assert "Thank you, all settled" in payer.see("/outcome").text
    assert payer.case.recovered_by is RecoveredBy.AUTHENTICATION
    assert payer.paid_charges_of_renewals() == 1


def test_a_form_from_elsewhere_does_nothing(stage: Stage, payer: Payer) -> None:
    other = make_payer(stage, "insufficient_funds", name="Bo Berg", email="bo@example.com")
    foreign_ticket = other.forms(other.see())["card"]
    for data, headers in (
        ({}, {}),
        ({"ticket": "made-up"}, {}),
        ({"ticket": foreign_ticket}, {}),
        ({"ticket": payer.forms(payer.see())["card"]}, {"Sec-Fetch-Site": "cross-site"}),
    ):
        answer = payer.http.post(f"{payer.url}/card", data=data, headers=headers, allow_redirects=False, timeout=30)
        assert answer.status_code == 303
        assert answer.headers["Location"] == payer.path
    assert _sessions(payer) == []


@pytest.mark.long
def test_a_card_page_on_a_domain_of_the_merchants_own_is_reached_by_a_link(payer: Payer, monkeypatch: Any) -> None:
    monkeypatch.setattr("app.payment_page.stripe_pages.origins", lambda: ("https://checkout.stripe.com",))
    answer = payer.press("card")
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text
    assert "/c/pay/cs_test_" in answer.text


@pytest.mark.long
def test_where_stripe_retries_a_new_card_is_still_charged_at_once(house: House, settings: Settings) -> None:
    with open_stage(house, settings, ConnectionMode.OBSERVE) as stage:
        payer = make_payer(stage, "insufficient_funds")
        assert "Thank you, all settled" in payer.pay_with().text
        assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_a_card_saved_while_a_hold_lasts_is_kept_for_later(stage: Stage, payer: Payer) -> None:
    hold(payer, HoldKind.SNOOZE, days=2)
    assert "Your card is saved" in payer.pay_with().text
    assert "Your card is saved" in payer.see().text
    assert payer.paid_charges_of_renewals() == 0
    stage.advance(days=3)
    assert "Thank you, all settled" in payer.see().text
    assert payer.paid_charges_of_renewals() == 1


def _later(stage: Stage, **by: float) -> str:
    return (stage.now + timedelta(**by)).isoformat()


def _sessions(payer: Payer) -> list[Any]:
    found: list[Any] = payer.stage.stripe("GET", f"checkout/sessions?customer={payer.customer}")["data"]
    return found


def _default_card(payer: Payer) -> Any:
    return payer.stage.stripe("GET", f"customers/{payer.customer}")["invoice_settings"]["default_payment_method"]
