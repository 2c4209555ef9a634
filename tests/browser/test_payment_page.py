"""The customer's way through the page in a real browser, with Stripe's pages played by the sandbox."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.vocabulary import CaseState
from tests.integration.payment_page.conftest import Payer

Open = Callable[..., Page]
WAYS_OF_LOOKING = {
    "a small phone": {"viewport": {"width": 320, "height": 640}},
    "a desk at 200 %": {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
    "a phone at night": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


def test_the_card_is_fixed_on_a_phone_without_javascript(open_page: Open, payer: Payer) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(payer.url)
    page.get_by_role("button", name="Pay with another card").click()
    _save(page, "pm_card_visa")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, all settled")
    assert page.url == f"{payer.url}/outcome"
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, all settled")
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_the_keyboard_alone_is_enough(open_page: Open, payer: Payer) -> None:
    page = open_page()
    page.goto(payer.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Pay with another card")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/pay/**")


@pytest.mark.long
def test_a_second_card_helps_where_the_first_is_declined(open_page: Open, payer: Payer) -> None:
    page = open_page()
    page.goto(payer.url)
    page.get_by_role("button", name="Pay with another card").click()
    _save(page, "pm_card_chargeDeclinedInsufficientFunds")
    expect(page.get_by_role("status")).to_contain_text("There wasn’t enough available on the card just now.")
    page.get_by_role("button", name="Pay with another card").click()
    _save(page, "pm_card_mastercard")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, all settled")
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_the_bank_is_answered_on_stripes_page(open_page: Open, payer_with: Callable[..., Payer]) -> None:
    payer = payer_with("requires_action")
    page = open_page()
    page.goto(payer.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your bank asks for your approval")
    page.get_by_role("button", name="Approve the payment").click()
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("paid")
    payer.stage.settle()
    page.goto(payer.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, all settled")
    assert payer.paid_charges_of_renewals() == 1


def test_a_double_click_the_back_button_and_a_second_tab_charge_once(open_page: Open, payer: Payer) -> None:
    page = open_page()
    page.goto(payer.url)
    page.get_by_role("button", name="Pay with another card").dblclick(no_wait_after=True)
    expect(page).to_have_url(re.compile("/c/pay/"))  # the second click ends the first one's navigation
    second = page.context.new_page()
    second.goto(payer.url)
    second.get_by_role("button", name="Pay with another card").click()
    _save(second, "pm_card_visa")
    _save(page, "pm_card_mastercard")
    for tab in (page, second):
        expect(tab.get_by_role("heading", level=1)).to_have_text("Thank you, all settled")
    page.go_back()
    page.go_back()
    page.goto(payer.url)
    payer.stage.settle()
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_leaving_in_the_middle_and_coming_back_later(open_page: Open, payer: Payer) -> None:
    page = open_page()
    page.goto(payer.url)
    page.get_by_role("button", name="Pay with another card").click()
    page.get_by_role("link", name="Cancel and go back").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your payment didn’t go through")
    assert payer.case.state is CaseState.WAITING


@pytest.mark.long
def test_nothing_is_cut_off(open_page: Open, payer_with: Callable[..., Payer]) -> None:
    payer = payer_with("expired_card", locale="de", plan="Donaudampfschifffahrtsgesellschaftskapitän")
    for name, look in WAYS_OF_LOOKING.items():
        page = open_page(**look)
        page.goto(payer.url)
        fits = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert fits, name
        button = page.get_by_role("button", name="Aktuelle Karte hinterlegen").bounding_box()
        assert button is not None
        assert button["height"] >= 44


def test_axe_finds_nothing_to_complain_of(open_page: Open, payer: Payer) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme, bypass_csp=True)
        for rest in ("", "/outcome", "x"):
            page.goto(f"{payer.url}{rest}")
            found = axe.run(page).response["violations"]
            assert [violation["id"] for violation in found] == []


def _save(page: Page, card: str) -> None:
    """Save a card on the pretend Checkout page."""
    page.get_by_label("Test card").select_option(card)
    page.get_by_role("button", name="Save card").click()
