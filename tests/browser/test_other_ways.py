"""Every other way off the page in a real browser: another day, a word, another address, something instead, the form."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from app.campaigns.contact import PageOffers, RetentionOffer
from app.campaigns.definition import MONTHLY
from app.models import Connection, Hold, SubscriptionSnapshot
from app.recovery import operator
from app.recovery.operator import Person
from app.vocabulary import CaseState, RecoveredBy
from tests.integration.payment_page.conftest import Payer, make_payer
from tests.integration.payment_page.test_instead import smaller_price
from tests.stage import Stage

Open = Callable[..., Page]
FIRST_VIEW = 50_000  # bytes
SLOW_3G = 50_000  # bytes a second, 400 kbit/s
ROUND_TRIP = 0.4  # seconds
# What Stripe's script does, as far as our page can tell: it draws something and sends the browser back.
STRIPE_JS = """
window.Stripe = (key, options) => ({
  elements: () => ({
    create: () => ({ mount: (where) => { document.querySelector(where).textContent = "card form"; } }),
  }),
  confirmSetup: async ({ confirmParams }) => {
    window.confirmed = (window.confirmed || 0) + 1;
    const secret = document.getElementById("card-form").dataset.secret;
    if (window.refuses) return { error: { type: "card_error", message: "Your card was declined." } };
    window.location = confirmParams.return_url + "?setup_intent=" + secret.split("_secret_")[0];
    return new Promise(() => {});
  },
});
"""


@pytest.fixture
def generous(stage: Stage) -> Stage:
    """An operator who offers everything."""
    offers = (
        RetentionOffer(kind="pause", months=2),
        RetentionOffer(kind="downgrade", prices={"eur": smaller_price(stage)}),
        RetentionOffer(kind="cancel"),
    )
    stage.use_campaign(MONTHLY.model_copy(update={"page": PageOffers(retention=offers)}))
    return stage


def pick(page: Page, payer: Payer, index: int = 4) -> None:
    page.goto(payer.url)
    page.get_by_text("Pay on another day").click()
    page.get_by_label("Day").select_option(index=index)
    page.get_by_role("button", name="Wait until that day").click()


def say(page: Page, payer: Payer) -> None:
    page.goto(payer.url)
    page.get_by_text("Something is wrong with this payment").click()
    page.get_by_label("What is wrong?").fill("I cancelled in March.")
    page.get_by_role("button", name="Send").click()


def test_a_day_is_picked_without_javascript_and_the_card_pays_on_it(open_page: Open, stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds", "approve")
    page = open_page(java_script_enabled=False)
    pick(page, payer)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Agreed: ")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Agreed: ")
    assert len(stage.rows(Hold)) == 1
    stage.advance(days=8)
    page.goto(payer.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, all settled")
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_a_word_to_the_merchant_and_the_answer(open_page: Open, stage: Stage, payer: Payer) -> None:
    page = open_page(java_script_enabled=False)
    say(page, payer)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your message has arrived")
    (hold,) = stage.rows(Hold)
    operator.release_hold(stage.context, stage.organization_id, hold.id, Person("Olga"), "You are right.")
    page.reload()
    expect(page.get_by_role("region", name="The answer from Acme")).to_contain_text("You are right.")


@pytest.mark.long
def test_another_address_is_asked_twice(open_page: Open, payer: Payer) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(payer.url)
    page.get_by_text("Write to somebody else about payments").click()
    page.get_by_label("New e-mail address").fill("books@example.net")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("main")).to_contain_text("books@example.net")
    page.get_by_role("button", name="Yes, write there").click()
    expect(page.get_by_role("status")).to_contain_text("Done.")


def test_a_pause_with_a_double_click_and_the_back_button_is_one_pause(open_page: Open, generous: Stage) -> None:
    payer = make_payer(generous, "insufficient_funds")
    page = open_page()
    page.goto(payer.url)
    page.get_by_role("link", name="Pause the subscription instead").click()
    page.get_by_role("button", name="Yes, pause it").dblclick(no_wait_after=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("It’s done")
    page.go_back()
    page.goto(f"{payer.url}/instead/pause")
    expect(page.get_by_role("heading", level=1)).to_have_text("It’s done")
    assert len(generous.rows(SubscriptionSnapshot)) == 1
    assert payer.case.state is CaseState.EXHAUSTED


def test_a_tab_closed_on_the_way_back_from_checkout_is_one_charge(open_page: Open, stage: Stage, payer: Payer) -> None:
    page = open_page()
    page.route("**/return?**", lambda route: route.abort())
    page.goto(payer.url)
    page.get_by_role("button", name="Pay with another card").click()
    page.get_by_label("Test card").select_option("pm_card_visa")
    page.get_by_role("button", name="Save card").click()
    page.close()
    stage.settle()
    assert payer.case.recovered_by is RecoveredBy.NEW_CARD
    assert payer.paid_charges_of_renewals() == 1


@pytest.fixture
def with_form(stage: Stage) -> Payer:
    with stage.context.database.organization(stage.organization_id) as session:
        session.get_one(Connection, stage.connection_id).publishable_key = "pk_test_recoup"
    stage.use_campaign(MONTHLY.model_copy(update={"page": PageOffers(payment_element=True)}))
    return make_payer(stage, "insufficient_funds")


def test_stripes_form_in_our_page_charges_once(open_page: Open, with_form: Payer) -> None:
    page = open_page()
    page.route("https://js.stripe.com/**", lambda route: _script(route, STRIPE_JS))
    page.goto(with_form.url)
    page.get_by_role("button", name="Pay with another card").click()
    expect(page.get_by_text("card form")).to_be_visible()
    intent = str(page.locator("#card-form").get_attribute("data-secret")).split("_secret_")[0]
    with_form.stage.stripe("POST", f"setup_intents/{intent}/confirm", payment_method="pm_card_visa")
    page.get_by_role("button", name="Save the card and pay €49.00").dblclick(no_wait_after=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you, all settled")
    page.go_back()
    with_form.stage.settle()
    assert with_form.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_a_card_that_stripes_form_refuses_is_said_beside_it(open_page: Open, with_form: Payer) -> None:
    page = open_page()
    page.route("https://js.stripe.com/**", lambda route: _script(route, f"window.refuses = true;{STRIPE_JS}"))
    page.goto(with_form.url)
    page.get_by_role("button", name="Pay with another card").click()
    page.get_by_role("button", name="Save the card and pay").click()
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    expect(page.get_by_role("button", name="Save the card and pay")).to_be_enabled()


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.long
def test_where_stripes_script_does_not_come_its_page_does(open_page: Open, with_form: Payer, script: bool) -> None:
    page = open_page(java_script_enabled=script)
    page.route("https://js.stripe.com/**", lambda route: route.abort())
    page.goto(with_form.url)
    page.get_by_role("button", name="Pay with another card").click()
    expect(page.get_by_role("button", name="Save the card and pay")).to_be_hidden()
    page.get_by_role("button", name="Use Stripe’s page instead").click()
    page.wait_for_url("**/c/pay/**")


@pytest.mark.parametrize("locale", ["en", "de", "pl", "ar", "ja", "zh-Hans"])
@pytest.mark.long
def test_nothing_is_cut_off_and_axe_is_content_with_everything_open(
    open_page: Open, generous: Stage, locale: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    payer = make_payer(generous, "insufficient_funds", locale=locale, plan="Donaudampfschifffahrtsgesellschaft")
    generous.fail(payer.customer, "insufficient_funds")
    for look in ({"width": 320, "height": 640}, {"width": 640, "height": 450}):
        page = open_page(viewport=look, bypass_csp=True, color_scheme="dark" if look["width"] == 320 else "light")
        for rest in ("", "/instead/pause", "/instead/downgrade", "/instead/cancel"):
            page.goto(f"{payer.url}{rest}")
            for summary in page.locator("summary").all():
                summary.click()
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), rest
            assert [found["id"] for found in axe.run(page).response["violations"]] == [], rest
    assert page.locator("html").get_attribute("lang") == locale
    assert page.locator("html").get_attribute("dir") == ("rtl" if locale == "ar" else "ltr")


@pytest.mark.long
def test_axe_is_content_with_what_stands_after_each_way(open_page: Open, generous: Stage) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(bypass_csp=True)
    promised, asked, chosen = (make_payer(generous, "insufficient_funds", email=f"{n}@example.com") for n in range(3))
    pick(page, promised)
    assert axe.run(page).response["violations"] == []
    say(page, asked)
    assert axe.run(page).response["violations"] == []
    page.goto(f"{chosen.url}/instead/cancel")
    page.get_by_role("button", name="Yes, let it end").click()
    assert axe.run(page).response["violations"] == []
    chosen.pay_with()
    page.goto(chosen.url)
    assert axe.run(page).response["violations"] == []


@pytest.mark.long
def test_the_first_view_is_light_enough_for_slow_3g(open_page: Open, generous: Stage) -> None:
    payer = make_payer(generous, "insufficient_funds", locale="ar")
    page = open_page()
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(sum(answer.request.sizes().values())))
    page.goto(payer.url, wait_until="networkidle")
    assert sum(sizes) < FIRST_VIEW
    assert len(sizes) * ROUND_TRIP + sum(sizes) / SLOW_3G < 1


def _script(route: Route, text: str) -> None:
    route.fulfill(body=text, content_type="text/javascript")
