"""Payers and their banks: the same luck whoever asks and when, and failures as often and as curable as is reported."""

from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

import pytest

from app.sandbox.declines import CODES
from app.sandbox.issuers.obstacles import Asked
from app.sandbox.issuers.parameters import UnknownSegment, segments
from app.sandbox.issuers.payers import Payer

BASE = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
REASONED = [name for name in segments() if name != "no_structure"]


def moments(dice: Random, count: int) -> list[datetime]:
    return [BASE + timedelta(minutes=dice.randrange(400 * 1440)) for _ in range(count)]


@cache
def failing(segment: str, count: int) -> list[tuple[Payer, datetime]]:
    dice = Random(11)
    return [(Payer.failing(segment, at, dice), at) for at in moments(dice, count)]


@pytest.mark.parametrize("segment", segments())
def test_asking_in_another_order_changes_nothing(segment: str) -> None:
    dice = Random(5)
    for _ in range(20):
        payer = Payer.drawn(dice.getrandbits(60), segment, BASE)
        asked = moments(dice, 12)
        forwards = [payer.answer(at) for at in asked]
        again = Payer.drawn(payer.seed, segment, BASE)
        assert [again.answer(at) for at in reversed(asked)] == forwards[::-1]


@pytest.mark.parametrize("segment", segments())
def test_approvals_come_as_often_as_their_probability_says(segment: str) -> None:
    dice = Random(3)
    expected = approved = 0.0
    for at in moments(dice, 800):
        payer = Payer.drawn(dice.getrandbits(60), segment, BASE)
        expected += payer.approval_probability(at)
        approved += payer.answer(at).approved
    assert approved == pytest.approx(expected, abs=4 * (expected * (1 - expected / 800)) ** 0.5)


@pytest.mark.parametrize("segment", REASONED)
def test_retries_bring_back_what_is_reported_of_real_ones(segment: str) -> None:
    cases = failing(segment, 180)
    brought_back = {
        days: sum(_recovers(payer, at, days) for payer, at in cases) / 180 for days in ((1, 3, 5, 7), EIGHT)
    }
    assert 0.25 < brought_back[1, 3, 5, 7] < 0.47  # reported: 25 to 40%
    assert 0.42 < brought_back[EIGHT] < 0.62  # reported: 45 to 55%
    assert brought_back[1, 3, 5, 7] < brought_back[EIGHT]


EIGHT = tuple(3.5 * number for number in range(1, 9))


def _recovers(payer: Payer, at: datetime, days: tuple[float, ...]) -> bool:
    history = [Asked(at)]
    for moment in (at + day * DAY for day in days):
        answer = payer.answer(moment, history)
        if answer.approved:
            return True
        history.append(Asked(moment))
    return False


@pytest.mark.parametrize("segment", REASONED)
def test_first_charges_fail_as_often_as_is_reported(segment: str) -> None:
    dice = Random(2)
    asked = declined = 0
    for at in moments(dice, 800):
        payer = Payer.drawn(dice.getrandbits(60), segment, at - 30 * DAY)
        if payer.answer(at - 30 * DAY).approved:
            asked, declined = asked + 1, declined + (not payer.answer(at).approved)
    assert 0.045 < declined / asked < 0.12  # credit 4.5 to 7.5%, debit 7 to 12%


@pytest.mark.parametrize("segment", segments())
def test_every_decline_speaks_stripes_words(segment: str) -> None:
    for payer, at in failing(segment, 180):
        answer = payer.answer(at)
        if answer.words is None:
            assert answer.wants_holder
        else:
            assert answer.words.decline_code in CODES
            assert payer.card.brand == "mastercard" or answer.words.network_advice_code is None


def test_codes_hide_reasons_and_repeat_themselves() -> None:
    cases = failing("us_consumer", 180)
    short = [payer.answer(at).words for payer, at in cases if payer.answer(at).reason == "money"]
    plain = sum(words is not None and words.decline_code == "insufficient_funds" for words in short) / len(short)
    assert 0.62 < plain < 0.82


def test_an_advice_that_knows_the_next_wage_is_not_too_early() -> None:
    hours = {"24": 1, "25": 24, "26": 48, "27": 96, "28": 144, "29": 192, "30": 240}
    told = early = 0
    for payer, at in failing("uk_eu", 180):
        words = payer.answer(at).words
        if words and words.decline_code == "insufficient_funds" and words.network_advice_code:
            assert payer.account is not None
            local = at.astimezone(UTC).replace(tzinfo=None)
            wait = (payer.account.next_wage(local) - local) / timedelta(hours=1)
            told, early = told + 1, early + (hours[words.network_advice_code] < min(wait - 26, 214))
    assert told > 5
    assert early / told < 0.4  # three in ten advise at random


def test_a_card_asked_too_often_is_declined_for_it_and_stripe_blocks_what_was_declined_too_often() -> None:
    payer = Payer.drawn(1, "us_consumer", BASE)
    at = next(
        BASE + hour * timedelta(hours=1)
        for hour in range(1000)
        if payer.answer(BASE + hour * timedelta(hours=1)).approved
    )
    crowd = [Asked(at - minutes * timedelta(minutes=30), approved=True) for minutes in range(1, 5)]
    assert payer.answer(at, crowd).reason == "crowd"
    blocked = 0
    for seed in range(60):
        other = Payer.drawn(seed, "us_consumer", BASE)
        blocked += other.answer(at, [Asked(at - hours * timedelta(hours=9)) for hours in (1, 3, 5)]).reason == "blocked"
    assert 38 < blocked <= 60  # 17% of what was blocked is charged later


def test_a_bank_that_wants_its_holder_is_content_once_they_have_confirmed() -> None:
    dice = Random(8)
    for at in moments(dice, 4000):
        payer = Payer.drawn(dice.getrandbits(60), "uk_eu", BASE)
        if payer.answer(at).wants_holder:
            break
    assert payer.answer(at).wants_holder
    later = at + timedelta(hours=1)
    assert not payer.answer(later, [Asked(at, approved=True, confirmed=True)]).wants_holder


def test_an_outage_is_a_banks_and_strikes_all_its_cards() -> None:
    struck = next((payer, at) for payer, at in failing("business_credit", 180) if payer.answer(at).reason == "outage")
    payer, at = struck
    dice = Random(1)
    neighbours = (Payer.drawn(dice.getrandbits(60), "business_credit", BASE) for _ in range(800))
    same_bank = [other for other in neighbours if other.by(at).card.bank == payer.by(at).card.bank]
    assert same_bank
    assert all(other.approval_probability(at) == 0 for other in same_bank)


def test_an_updater_renews_dead_and_expired_cards_of_those_it_covers_and_nobody_elses() -> None:
    much_later = BASE + 1200 * DAY
    payers = [Payer.drawn(seed, "us_consumer", BASE) for seed in range(300)]
    stuck = [payer for payer in payers if payer.by(much_later).card.renewed_at is None]
    assert 0.3 < len(stuck) / 300 < 0.98
    for payer in payers:
        current = payer.by(much_later)
        assert current.account == payer.account
        assert current.card.renewed_at is None or current.card.renewed_at > much_later


def test_a_segment_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UnknownSegment, match="us_consumer"):
        Payer.drawn(1, "martians", BASE)


def test_whoever_brings_another_card_often_has_other_money_for_it() -> None:
    others = [Payer(seed, "us_consumer", BASE, wallet=1) for seed in range(400)]
    own = sum(other.account == Payer.drawn(other.seed, "us_consumer", BASE).account for other in others)
    assert 0.2 < own / 400 < 0.4
    assert all(other.holder == Payer.drawn(other.seed, "us_consumer", BASE).holder for other in others)
