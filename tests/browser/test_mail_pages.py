"""The pages behind mails' own links in a real browser: the way out of reminders, and what a notice leads to."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.links import MailLink, make_notice_url, make_unsubscribe_url
from app.models import Customer, Message
from tests.integration.payment_page.conftest import make_payer
from tests.stage import Stage
from tests.stories.test_notices import expire, look, owe

Open = Callable[..., Page]


def address(stage: Stage, make: Callable[[str, str, MailLink], str], mail: Message) -> str:
    secret = stage.context.settings.require("secret_key")
    return make(stage.base_url, secret, MailLink(stage.organization_id, mail.id))


def check(page: Page) -> None:
    """Nothing is cut off, and axe finds nothing."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert [found["id"] for found in axe.run(page).response["violations"]] == []


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_reminders_are_stopped_and_had_again_without_javascript_and_the_way_back_is_a_way(
    open_page: Open, stage: Stage
) -> None:
    payer = make_payer(stage, "expired_card")
    page = open_page(java_script_enabled=False)
    page.goto(address(stage, make_unsubscribe_url, stage.messages(payer.invoice)[0]))
    page.get_by_role("button", name="Stop reminders").click()
    heading(page, "You won’t get any more reminders")
    page.get_by_role("button", name="Send me reminders again").click()
    heading(page, "Reminders are on again")
    page.go_back()
    heading(page, "Stop reminders?")  # as it is now: nothing is sent once more


@pytest.mark.parametrize("locale", ["en", "ar", "ja"])
@pytest.mark.long
def test_axe_is_content_with_the_way_out_and_with_open_invoices(open_page: Open, stage: Stage, locale: str) -> None:
    dora = stage.customer(name="Dora Lind", email="dora@example.com", amount=0, locale=locale)
    owe(stage, dora["customer"], 2)
    owe(stage, dora["customer"], 2, amount=123_456)
    (mail, *_) = look(stage)
    dark = {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"}
    for wanted in (dark, {"viewport": {"width": 1100, "height": 700}}):
        page = open_page(bypass_csp=True, **wanted)
        page.goto(address(stage, make_notice_url, mail))
        expect(page.get_by_role("button")).to_have_count(2)
        check(page)
        page.goto(address(stage, make_unsubscribe_url, mail))
        check(page)
        page.get_by_role("button").click()
        check(page)
        page.get_by_role("button").click()
        check(page)
    assert page.locator("html").get_attribute("lang") == locale


def test_an_invoice_due_soon_is_paid_on_stripes_page(open_page: Open, stage: Stage) -> None:
    dora = stage.customer(name="Dora Lind", email="dora@example.com", amount=0)
    invoice = owe(stage, dora["customer"], 2)
    (mail,) = look(stage)
    page = open_page(bypass_csp=True)
    page.goto(address(stage, make_notice_url, mail))
    check(page)
    page.get_by_role("button", name="Pay this invoice").click()
    page.wait_for_url(f"**/i/{invoice}")
    page.go_back()
    heading(page, "Your open invoices")


@pytest.mark.long
def test_a_card_that_dies_is_replaced(open_page: Open, stage: Stage) -> None:
    anna = stage.customer(name="Anna Berg", email="anna@example.com", country="DE", locale="de")
    expire(stage, anna)
    stage.advance(days=17)
    (mail,) = look(stage)
    page = open_page(bypass_csp=True)
    page.goto(address(stage, make_notice_url, mail))
    check(page)
    page.get_by_role("button", name="Neue Karte").click()
    page.get_by_label("Test card").select_option("pm_card_visa")
    page.get_by_role("button", name="Save card").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("gespeichert")
    check(page)
    assert stage.rows(Customer)[0].default_payment_method_id
