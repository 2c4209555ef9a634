"""Payers behind sandbox customers: what their banks answer there, their cards' renewals, and crowds of them."""

from typing import Any

import pytest

from app.sandbox import behaving, issuer
from app.sandbox.declines import Decline
from app.sandbox.errors import StripeRefusal
from app.sandbox.issuers.obstacles import Asked
from app.sandbox.issuers.payers import Payer
from app.sandbox.periods import moment
from app.sandbox.population import Crowd, settle
from app.sandbox.store import Doc
from tests.unit.sandbox.play import DAY, HOUR, START, Play, pay


def seed_whose(segment: str, wanted: Any) -> int:
    """The first payer of whom that is true, by number."""
    return next(seed for seed in range(5000) if wanted(Payer.drawn(seed, segment, moment(START))))


def ask(play: Play, made: Doc, **how: Any) -> Any:
    method = play.find("payment_method", made["payment_method"])
    return play.act(issuer.ask, method, **how)


def test_a_customers_bank_answers_as_their_payer_does(play: Play) -> None:
    made = play.customer(behaviour="us_consumer", payer_seed=5)
    payer = Payer.drawn(5, "us_consumer", moment(START))
    card = play.find("payment_method", made["payment_method"])["card"]
    assert (card["brand"], card["funding"], card["exp_year"]) == (
        payer.card.brand,
        payer.card.funding,
        payer.card.exp_year,
    )
    for _ in range(20):
        play.now += 37 * HOUR
        verdict = ask(play, made)
        declined = isinstance(verdict, Decline)
        # Charges so far apart are none that a bank would count, but Stripe may.
        if not (declined and verdict.decline_code == "previously_declined_do_not_retry"):
            assert declined == (not payer.answer(moment(play.now)).approved)


def test_an_address_has_the_same_payer_in_every_run(play: Play) -> None:
    first, second = (play.customer(email="ada@example.com", behaviour="uk_eu")["customer"] for _ in range(2))
    seeds = {play.find(behaving.KIND, customer)["seed"] for customer in (first, second)}
    other = play.customer(email="bea@example.com", behaviour="uk_eu")["customer"]
    assert len(seeds) == 1
    assert play.find(behaving.KIND, other)["seed"] not in seeds


def test_a_script_given_by_hand_goes_before_the_payer(play: Play) -> None:
    made = play.failing("lost_card", behaviour="us_consumer", payer_seed=5)
    verdict = ask(play, made)
    assert isinstance(verdict, Decline)
    assert verdict.decline_code == "lost_card"


def test_a_bank_that_wants_its_customer_is_content_once_they_confirmed(play: Play) -> None:
    def wants(payer: Payer) -> bool:
        at = moment(START + DAY)
        return payer.answer(at).wants_holder and payer.answer(at, [Asked(at, confirmed=True)]).approved

    made = play.customer(behaviour="uk_eu", payer_seed=seed_whose("uk_eu", wants))
    play.now += DAY
    assert ask(play, made) == issuer.NeedsAuthentication()
    assert ask(play, made, authenticated=True) == issuer.Approved()
    play.now += HOUR
    assert ask(play, made) != issuer.NeedsAuthentication()


def test_the_updater_renews_a_payers_card_in_place_and_says_so(play: Play) -> None:
    def is_renewed_soon(payer: Payer) -> bool:
        told = payer.card.renewed_at
        return told is not None and DAY < told.timestamp() - START < 20 * DAY and payer.card.dies_at < told

    seed = seed_whose("us_consumer", is_renewed_soon)
    payer = Payer.drawn(seed, "us_consumer", moment(START))
    made = play.customer(behaviour="us_consumer", payer_seed=seed)
    before = play.find("payment_method", made["payment_method"])["card"]
    play.run_to(int(payer.card.dies_at.timestamp()) + HOUR)
    assert isinstance(ask(play, made), Decline)
    play.run_to(START + 21 * DAY)
    after = play.find("payment_method", made["payment_method"])["card"]
    assert after["fingerprint"] != before["fingerprint"]
    assert play.events("payment_method.automatically_updated")
    assert payer.by(moment(play.now)).card.dies_at > moment(play.now)


def test_another_card_is_the_same_persons(play: Play) -> None:
    def is_dead(payer: Payer) -> bool:
        return payer.card.dies_at.timestamp() < START + 2 * DAY and payer.card.renewed_at is None

    seed = seed_whose("us_consumer", is_dead)
    made = play.failing("generic_decline", behaviour="us_consumer", payer_seed=seed)
    play.run_to(START + 5 * DAY)
    from_page = play.customer()["payment_method"]
    verdict = play.act(pay, made["invoice"], from_page)
    assert verdict == issuer.Approved()


def test_part_of_the_issuers_can_be_away(play: Play) -> None:
    made = [play.customer(email=f"c{number}@example.com") for number in range(40)]
    play.act(issuer.begin_outage, play.now + HOUR, 0.5)
    away = [isinstance(ask(play, one), Decline) for one in made]
    assert 8 < sum(away) < 32
    assert [isinstance(ask(play, one), Decline) for one in made] == away
    play.act(issuer.begin_outage, play.now)
    assert not any(isinstance(ask(play, one), Decline) for one in made)


def test_a_crowd_is_the_same_each_time_and_fails_by_itself(play: Play) -> None:
    crowd = Crowd(60, {"us_consumer": 2, "uk_eu": 1})
    made = play.act(lambda ledger: list(settle(ledger, crowd, range(60))))
    assert play.events() == []
    assert {entry["behaviour"] for entry in made} == {"us_consumer", "uk_eu"}
    play.run_to(START + 30 * DAY)
    failed = len({event["data"]["object"]["id"] for event in play.events("invoice.payment_failed")})
    paid = len(play.events("invoice.paid"))
    assert 1 <= failed <= 20
    assert paid > 40
    people = [play.find("customer", entry["customer"])["email"] for entry in made]
    again = play.act(lambda ledger: list(settle(ledger, crowd, range(60))))
    assert [play.find("customer", entry["customer"])["email"] for entry in again] == people


def test_an_outage_of_today_does_not_reach_into_the_past_of_those_who_move_in(play: Play) -> None:
    play.act(issuer.begin_outage, play.now + 3 * HOUR)
    made = play.act(lambda ledger: list(settle(ledger, Crowd(40, {"us_consumer": 1}), range(40))))
    for entry in made:
        owned = play.act(lambda ledger, who: ledger.linked("subscription", "customer", who), entry["customer"])
        assert [subscription["status"] for subscription in owned] == ["active"]
    play.run_to(play.now)
    assert play.events() == []


def test_nobody_can_subscribe_while_all_banks_are_away(play: Play) -> None:
    play.act(issuer.begin_outage, play.now + 3 * HOUR)
    with pytest.raises(StripeRefusal, match="outage --end"):
        play.customer()
