"""Links that are damaged, ended, revoked or guessed at."""

from datetime import timedelta

import pytest

from app.links import LIFETIME, PayLink, make_pay_url
from app.models import Message, RecoveryCase
from app.payment_page import throttle
from app.vocabulary import MessageState
from tests.integration.payment_page.conftest import Payer
from tests.stage import Stage


def test_a_damaged_link_says_what_to_do(payer: Payer) -> None:
    answer = payer.http.get(payer.url[:-3], headers={"Accept-Language": "fr-CA, en;q=0.5"}, timeout=30)
    assert answer.status_code == 404
    assert "Ce lien ne fonctionne pas" in answer.text
    assert "Acme" not in answer.text


@pytest.mark.long
def test_a_link_to_a_case_that_is_gone_is_no_link(stage: Stage, payer: Payer) -> None:
    nobody = PayLink(stage.organization_id, stage.organization_id, 1)
    url = make_pay_url(stage.base_url, stage.context.settings.require("secret_key"), nobody, stage.now)
    assert payer.http.get(url, timeout=30).status_code == 404


@pytest.mark.long
def test_an_ended_link_to_a_case_that_is_gone_is_no_link(stage: Stage, payer: Payer) -> None:
    payer.url = _old_link(stage, PayLink(stage.organization_id, stage.organization_id, 1))
    assert payer.see().status_code == 404
    assert payer.http.post(f"{payer.url}/card", allow_redirects=False, timeout=30).status_code == 404


def test_another_organization_in_an_old_or_a_new_link_opens_nothing(stage: Stage, payer: Payer) -> None:
    foreign = PayLink(payer.case.id, payer.case.id, payer.case.link_version)
    payer.url = _old_link(stage, foreign)
    assert payer.see().status_code == 404
    payer.url = make_pay_url(stage.base_url, stage.context.settings.require("secret_key"), foreign, stage.now)
    assert payer.see().status_code == 404


@pytest.mark.parametrize("rest", ["/", "/card", "/fresh-link", "/nothing/here"])
@pytest.mark.long
def test_an_address_below_the_page_leads_to_the_page(payer: Payer, rest: str) -> None:
    answer = payer.see(rest)
    assert answer.status_code == 303
    assert payer.url.endswith(answer.headers["Location"])


@pytest.mark.parametrize("rest", ["/pay/", "/pay"])
@pytest.mark.long
def test_an_address_that_lost_its_end_says_what_to_do(stage: Stage, payer: Payer, rest: str) -> None:
    answer = payer.http.get(stage.base_url + rest, timeout=30)
    assert answer.status_code == 404
    assert "This link doesn’t work" in answer.text


def test_an_ended_link_opens_nothing(payer: Payer) -> None:
    _end(payer)
    for rest in ("", "/outcome", "/return?session_id=cs_1"):
        answer = payer.see(rest)
        assert answer.status_code == 410
        assert "This link has ended" in answer.text
        for secret in ("49.00", "Anna", "Team"):
            assert secret not in answer.text
        assert f'action="{payer.path}/fresh-link"' in answer.text
    assert payer.http.post(f"{payer.url}/outcome/nowhere", allow_redirects=False, timeout=30).is_redirect


def test_a_revoked_link_is_like_an_ended_one(stage: Stage, payer: Payer) -> None:
    ticket = payer.forms(payer.see())["card"]
    _revoke(stage, payer)
    assert payer.see().status_code == 410
    answer = payer.http.post(f"{payer.url}/card", data={"ticket": ticket}, allow_redirects=False, timeout=30)
    assert answer.status_code == 410


def test_a_fresh_link_goes_to_the_address_on_file_once_a_day(stage: Stage, payer: Payer) -> None:
    _end(payer)
    for _ in range(2):
        answer = payer.follow(payer.press("fresh-link", payer.see()))
        assert answer.status_code == 410
        assert "Please check your mail" in answer.text
    stage.settle()
    fresh = [mail for mail in stage.messages(payer.invoice) if mail.key.startswith("fresh_link:")]
    assert [mail.state for mail in fresh] == [MessageState.DELIVERED]
    assert fresh[0].recipient == "anna@example.com"
    link = next(word for word in (fresh[0].text_body or "").split() if word.startswith(f"{stage.base_url}/pay/"))
    assert "€49.00" in payer.http.get(link, timeout=30).text


def test_no_fresh_link_is_sent_for_what_is_paid_and_the_page_does_not_tell(stage: Stage, payer: Payer) -> None:
    payer.pay_with()
    _revoke(stage, payer)
    assert "Please check your mail" in payer.follow(payer.press("fresh-link", payer.see())).text
    assert stage.rows(Message, Message.key.startswith("fresh_link:")) == []


def test_guessing_links_is_slowed_down(payer: Payer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "WRONG_LINKS", throttle.RateLimitItemPerMinute(3, namespace="test-wrong"))
    answers = [payer.http.get(f"{payer.stage.base_url}/pay/{n}", timeout=30) for n in range(4)]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert payer.see().status_code == 200  # a good link has nothing to do with who guesses next door


def test_pressing_without_end_is_slowed_down_for_that_link_only(
    stage: Stage, payer: Payer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "ACTS_ON_LINK", throttle.RateLimitItemPerMinute(2, namespace="test-acts"))
    assert [payer.press("card").status_code for _ in range(3)] == [303, 303, 429]
    assert payer.see().status_code == 200


def test_while_redis_is_away_each_process_counts_for_itself() -> None:
    alone = throttle.PageThrottle("redis://127.0.0.1:1/0")
    assert all(alone.lets_in("192.0.2.1", "token", acts=True) for _ in range(throttle.ACTS_ON_LINK.amount))
    assert not alone.lets_in("192.0.2.1", "token", acts=True)
    assert alone.lets_in("192.0.2.1", "another", acts=True)


def _end(payer: Payer) -> None:
    """The same link, as it was made long ago."""
    stage, case = payer.stage, payer.case
    payer.url = _old_link(stage, PayLink(stage.organization_id, case.id, case.link_version))


def _old_link(stage: Stage, link: PayLink) -> str:
    made_at = stage.now - LIFETIME - timedelta(minutes=1)
    return make_pay_url(stage.base_url, stage.context.settings.require("secret_key"), link, made_at)


def _revoke(stage: Stage, payer: Payer) -> None:
    with stage.context.database.organization(stage.organization_id) as session:
        session.get_one(RecoveryCase, payer.case.id).link_version += 1
