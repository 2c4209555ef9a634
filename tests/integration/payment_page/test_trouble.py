"""Stripe is away, the key is dead, or the answer to a charge is lost: the page stays calm and tells the truth."""

from datetime import timedelta
from typing import Any

import pytest

from app.models import Connection
from app.vocabulary import AttemptState, CaseState, ConnectionStatus
from tests.integration.payment_page.conftest import Payer
from tests.stage import Stage


def test_stripe_away_at_the_click_is_said_kindly(payer: Payer) -> None:
    page = payer.see()
    _trouble(payer.stage, "http_500", "/v1/checkout/sessions", count=20)
    answer = payer.press("card", page, **{"Accept-Language": "fr"})
    assert answer.status_code == 503
    assert "We’ll be right back" in answer.text  # in the customer's language, whatever the browser's is
    assert "Acme" in answer.text
    assert payer.path in answer.text
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.long
def test_stripe_away_on_the_way_back_goes_on_when_the_same_page_is_opened_again(payer: Payer) -> None:
    back = payer.save_card(payer.press("card"))
    _trouble(payer.stage, "http_500", "/v1/", count=40)
    answer = payer.http.get(back, timeout=60)
    assert answer.status_code == 503
    assert "session_id=cs_test_" in answer.text
    payer.http.delete(f"{payer.stage.sandbox.url}/_sandbox/faults", timeout=10)
    assert "Thank you, all settled" in payer.http.get(back, timeout=60).text
    payer.stage.settle()
    assert payer.paid_charges_of_renewals() == 1


def test_the_page_itself_opens_while_stripe_is_away(payer: Payer) -> None:
    payer.stage.control("clock", to=(payer.stage.now + timedelta(minutes=1)).isoformat())
    _trouble(payer.stage, "http_500", "/v1/", count=40)
    assert payer.see().status_code == 200
    assert payer.see("/outcome").status_code == 200


def test_a_charge_whose_answer_was_lost_is_waited_for_and_made_once(payer: Payer) -> None:
    back = payer.save_card(payer.press("card"))
    _trouble(payer.stage, "cut_after", f"/v1/invoices/{payer.invoice}/pay", count=1)
    page = payer.http.get(back, timeout=60)
    assert "One moment…" in page.text
    assert '<meta http-equiv="refresh" content="3;' in page.text
    assert payer.forms(page) == {}
    assert payer.stage.attempts(payer.invoice)[-1].state in (AttemptState.UNKNOWN, AttemptState.CHARGING)
    payer.stage.advance(minutes=3)
    assert "Thank you, all settled" in payer.see("/outcome").text
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_an_answer_that_does_not_come_for_long_is_not_watched_for_ever(payer: Payer) -> None:
    back = payer.save_card(payer.press("card"))
    _trouble(payer.stage, "cut_before", f"/v1/invoices/{payer.invoice}/pay", count=1)
    payer.http.get(back, timeout=60)
    payer.stage.control("clock", to=(payer.stage.now + timedelta(minutes=5)).isoformat())
    page = payer.see("/outcome")
    assert payer.case.state is CaseState.CHARGING
    assert "Your bank is taking its time" in page.text
    assert 'http-equiv="refresh"' not in page.text


def test_a_key_that_stripe_refuses_is_told_to_the_operator(stage: Stage, payer: Payer) -> None:
    with stage.context.database.organization(stage.organization_id) as session:
        row = session.get_one(Connection, stage.connection_id)
        row.sealed_api_key = stage.context.keys.seal("sk_wrong", row.context("api_key"))
    answer = payer.press("card")
    assert answer.status_code == 503
    assert "This isn’t possible right now" in answer.text
    assert stage.rows(Connection)[0].status is ConnectionStatus.BROKEN


def _trouble(stage: Stage, kind: str, path: str, **more: Any) -> None:
    wanted = {"kind": kind, "path": path, **more}
    assert stage.http.post(f"{stage.sandbox.url}/_sandbox/faults", json=wanted, timeout=10).ok
