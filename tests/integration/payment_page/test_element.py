"""Stripe's own form in a page of ours, up to where Stripe's script takes over, and from where it comes back."""

import re

import pytest

from app.campaigns.contact import PageOffers
from app.campaigns.definition import MONTHLY
from app.models import Connection
from app.vocabulary import RecoveredBy
from tests.integration.payment_page.conftest import Payer, make_payer
from tests.stage import Stage

KEY = "pk_test_recoup"
SECRET = re.compile(r'data-secret="((seti_\w+?)_secret_\w+)"')


@pytest.fixture
def payer(stage: Stage) -> Payer:
    with stage.context.database.organization(stage.organization_id) as session:
        session.get_one(Connection, stage.connection_id).publishable_key = KEY
    stage.use_campaign(MONTHLY.model_copy(update={"page": PageOffers(payment_element=True)}))
    return make_payer(stage, "insufficient_funds")


def confirm(payer: Payer, card: str = "pm_card_visa") -> str:
    """What Stripe's script does for the customer; the id of the intent."""
    found = SECRET.search(payer.follow(payer.press("card-here")).text)
    assert found is not None
    payer.stage.stripe("POST", f"setup_intents/{found[2]}/confirm", payment_method=card)
    return found[2]


def test_the_page_lets_in_stripes_script_and_no_other(payer: Payer) -> None:
    page = payer.follow(payer.press("card-here"))
    rules = page.headers["Content-Security-Policy"]
    assert "script-src 'self' https://js.stripe.com https://*.js.stripe.com;" in rules
    assert "connect-src 'self' https://api.stripe.com" in rules
    assert "unsafe" not in rules
    assert f'data-key="{KEY}"' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "script-src 'none'" in payer.see().headers["Content-Security-Policy"]


def test_a_card_given_in_the_form_pays(payer: Payer) -> None:
    intent = confirm(payer)
    assert "Thank you, all settled" in payer.follow(payer.see(f"/saved?setup_intent={intent}")).text
    assert payer.case.recovered_by is RecoveredBy.NEW_CARD
    assert payer.see(f"/saved?setup_intent={intent}").is_redirect
    form = payer.see("/card-here?ticket=made-up")
    assert (form.status_code, form.headers["Location"]) == (303, payer.path)
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_a_tab_closed_before_coming_back_is_one_charge_all_the_same(payer: Payer) -> None:
    confirm(payer)
    payer.stage.settle()
    assert payer.case.recovered_by is RecoveredBy.NEW_CARD
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_an_intent_of_somebody_else_does_nothing(stage: Stage, payer: Payer) -> None:
    stranger = make_payer(stage, "insufficient_funds", email="other@example.com")
    found = SECRET.search(stranger.follow(stranger.press("card-here")).text)
    assert found is not None
    stage.stripe("POST", f"setup_intents/{found[2]}/confirm", payment_method="pm_card_visa")
    payer.see(f"/saved?setup_intent={found[2]}")
    payer.see("/saved?setup_intent=seti_none")
    assert payer.paid_charges_of_renewals() == 0


@pytest.mark.long
def test_without_a_key_stripes_page_is_used(stage: Stage) -> None:
    stage.use_campaign(MONTHLY.model_copy(update={"page": PageOffers(payment_element=True)}))
    assert "card" in make_payer(stage, "insufficient_funds").forms(make_payer(stage, "insufficient_funds").see())
