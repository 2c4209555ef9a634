"""What the page shows, to whom, in which words, and what it keeps to itself."""

import base64
import hashlib
from datetime import timedelta

import pytest

from app.campaigns.definition import MONTHLY, FinalActionSettings
from app.models import Organization, PaymentMethod
from app.vocabulary import CaseState, FinalActionKind
from tests.integration.payment_page.conftest import Payer, link_for, make_payer
from tests.integration.payment_page.test_instead import smaller_price
from tests.stage import Stage

SMALL = 50_000  # bytes


def test_the_page_is_small_private_and_runs_no_script(payer: Payer) -> None:
    page = payer.see()
    headers = page.headers
    assert headers["Cache-Control"] == "no-store"
    assert "noindex" in headers["X-Robots-Tag"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "script-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert len(page.content) < SMALL


def test_nobody_is_named_beyond_the_merchant_and_a_first_name(payer: Payer) -> None:
    last4 = payer.stage.rows(PaymentMethod)[0].last4
    for page in (payer.see(), payer.pay_with("pm_card_chargeDeclinedInsufficientFunds"), payer.pay_with()):
        for secret in ("Schmidt", "anna@example.com", last4, payer.customer, payer.invoice):
            assert secret not in page.text.replace(payer.path, "").replace(_hosted_links(page.text), "")


def test_looking_changes_nothing(payer: Payer) -> None:
    before = payer.stage.timeline(payer.invoice)
    for rest in ("", "/outcome", "", "/outcome"):
        assert payer.see(rest).status_code == 200
    assert len(payer.stage.timeline(payer.invoice)) == len(before)
    assert payer.paid_charges_of_renewals() == 0


@pytest.mark.parametrize("code", ["stolen_card", "fraudulent"])
def test_a_card_reported_lost_or_stolen_is_never_called_that(stage: Stage, code: str) -> None:
    page = make_payer(stage, code).see()
    assert "Your bank declined the payment" in page.text
    for word in ("lost", "stolen", "fraud"):
        assert word not in page.text.lower()


def test_the_page_speaks_the_customers_language_and_money(stage: Stage) -> None:
    page = make_payer(stage, "expired_card", locale="de-AT", currency="jpy", amount=4900).see()
    assert '<html lang="de" dir="ltr">' in page.text
    assert "Ihre Kartendaten sind wohl nicht mehr aktuell" in page.text
    assert "4.900" in page.text.replace("\u00a0", ".").replace(" ", ".")
    assert "49,00" not in page.text


def test_what_comes_next_has_its_dates(payer: Payer) -> None:
    page = payer.see().text
    assert "We try your card again." in page
    assert "If the payment is still open, your Team subscription ends." in page
    assert page.count("<dt>") == 2


@pytest.mark.long
def test_the_merchants_colour_and_name_are_on_the_page(stage: Stage, payer: Payer) -> None:
    with stage.context.database.system() as session:
        organization = session.get_one(Organization, stage.organization_id)
        organization.brand_color, organization.logo_url = "#AA0044", "https://cdn.example.com/logo.svg"
        organization.support_email, organization.name = "help@acme.example", 'Acme <b> & "Sons"'
    page = payer.see()
    assert "--fill:#aa0044" in page.text
    assert 'src="https://cdn.example.com/logo.svg"' in page.text
    assert "mailto:help@acme.example" in page.text
    assert "<b>" not in page.text


def test_the_policy_lets_in_the_pages_own_sheet_and_no_other_style(stage: Stage, payer: Payer) -> None:
    with stage.context.database.system() as session:
        session.get_one(Organization, stage.organization_id).brand_color = "</style><script>"
    page = payer.see()
    sheet = page.text.split("<style>", 1)[1].split("</style>", 1)[0]
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert f"style-src 'self' 'sha256-{digest}';" in page.headers["Content-Security-Policy"]
    assert page.text.count("<style>") == 1
    assert "<script" not in page.text


@pytest.mark.long
def test_a_voided_invoice_leaves_nothing_to_pay(payer: Payer) -> None:
    payer.stage.stripe("POST", f"invoices/{payer.invoice}/void")
    payer.stage.settle()
    page = payer.see()
    assert "There’s nothing to pay" in page.text
    assert payer.forms(page) == {}


@pytest.mark.long
def test_a_payment_made_elsewhere_shows_as_paid(payer: Payer) -> None:
    payer.stage.stripe("POST", f"invoices/{payer.invoice}/pay", paid_out_of_band="true")
    payer.stage.control("clock", to=(payer.stage.now + timedelta(seconds=10)).isoformat())
    assert "Thank you, all settled" in payer.see("/outcome").text


def test_after_the_final_action_the_page_takes_the_money_and_says_what_comes_back(stage: Stage) -> None:
    stage.use_campaign(MONTHLY.model_copy(update={"window_days": 3, "messages": ()}))
    payer = make_payer(stage, "expired_card")
    stage.advance(days=4)
    assert payer.case.state is CaseState.EXHAUSTED
    payer.url = link_for(stage, payer.case)
    page = payer.see()
    assert "Your subscription has ended because this payment stayed open." in page.text
    assert "What happens next" not in page.text
    assert "Thank you, all settled" in payer.pay_with().text
    assert payer.case.state is CaseState.RECOVERED


def _hosted_links(page: str) -> str:
    """The receipt's own address, which names the invoice at Stripe."""
    return page.split('rel="noreferrer', 1)[0].rsplit('href="', 1)[-1] if 'rel="noreferrer' in page else "\0"


@pytest.mark.long
def test_what_ended_with_one_bill_is_said_behind_the_link_of_the_other(stage: Stage) -> None:
    ends = FinalActionSettings(kind=FinalActionKind.DOWNGRADE, prices={"eur": smaller_price(stage)})
    short = {"window_days": 2, "messages": (), "final_action": ends}
    stage.use_campaign(MONTHLY.model_copy(update=short))
    payer = make_payer(stage, *["insufficient_funds"] * 5)
    stage.advance(hours=1)
    second = stage.fail(payer.customer, *["insufficient_funds"] * 5)
    stage.advance(days=4)
    for invoice in (payer.invoice, second):
        payer.url = link_for(stage, stage.case(invoice))
        assert "Your subscription is on a smaller plan for now." in payer.see().text
