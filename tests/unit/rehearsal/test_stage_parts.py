"""The clock and the bell of a rehearsal, and what its people answer."""

from datetime import UTC, datetime, timedelta

import pytest

from app.bell import Urgency
from app.clock import ClockWouldRunBack
from app.rehearsal.bell import StageBell
from app.rehearsal.errors import UnknownJob
from app.rehearsal.orders import Person
from app.rehearsal.payers import CAUSES, Payer
from app.rehearsal.population import draw_people
from app.rehearsal.time import StageClock

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def person(cause: str, **changes: object) -> Person:
    given = {
        "name": "Ada Weber",
        "email": "ada@example.com",
        "country": "US",
        "timezone": "America/New_York",
        "locale": "en-US",
        "currency": "usd",
        "amount": 4900,
        "interval": "month",
        "plan": "Team",
        "brand": "visa",
        "funding": "debit",
        "card_country": "US",
        "cause": cause,
        "signals": {"decline_code": "do_not_honor", "network_advice_code": "02"},
        "fails_after_hours": 1.0,
        "seed": 11,
    }
    return Person(**{**given, **changes})  # type: ignore[arg-type]


def test_the_clock_stands_still_but_for_ticks_that_keep_an_order() -> None:
    clock = StageClock(NOON)
    moments = [clock.now() for _ in range(100)]
    assert moments == sorted(set(moments))
    assert moments[-1] - NOON < timedelta(milliseconds=1)


def test_the_clock_turns_forward_only() -> None:
    clock = StageClock(NOON)
    clock.turn_to(NOON + timedelta(days=3))
    assert clock.now() >= NOON + timedelta(days=3)
    with pytest.raises(ClockWouldRunBack):
        clock.turn_to(NOON)


def test_rings_are_worked_off_by_urgency_with_what_they_ring_for() -> None:
    heard: list[str] = []
    bell = StageBell(
        {"first": lambda: (heard.append("first"), bell.ring("last"))[0], "last": lambda: heard.append("last")}
    )
    bell.ring("last", urgency=Urgency.LATER)
    bell.ring("first", urgency=Urgency.NOW)
    assert bell.waiting() == 2
    assert bell.work_off() == 3
    assert heard == ["first", "last", "last"]
    assert bell.is_silent()


def test_a_job_that_nobody_knows_is_no_silent_loss() -> None:
    with pytest.raises(UnknownJob):
        StageBell({}).ring("run_steps")


def test_a_mark_is_first_once_until_it_is_forgotten() -> None:
    bell = StageBell({})
    assert [bell.is_first("mark", 10), bell.is_first("mark", 10)] == [True, False]
    bell.forget("mark")
    assert bell.is_first("mark", 10)


@pytest.mark.parametrize("cause", CAUSES)
def test_everybody_is_declined_at_first_and_answers_alike_at_the_same_moment(cause: str) -> None:
    one, other = Payer(person(cause), NOON), Payer(person(cause), NOON)
    assert one.answer(NOON) == person(cause).signals
    for days in range(1, 30):
        at = NOON + timedelta(days=days)
        assert one.answer(at) == other.answer(at) == one.answer(at)


def test_dead_cards_never_pay_and_banks_that_ask_never_stop_asking() -> None:
    later = [NOON + timedelta(days=days) for days in range(1, 40)]
    for cause in ("hard", "hidden_dead"):
        payer = Payer(person(cause), NOON)
        assert all(payer.answer(at) == {"decline_code": "do_not_honor"} for at in later)
    asks = Payer(person("authentication"), NOON)
    assert {asks.answer(at) for at in later} == {"requires_action"}


def test_money_comes_to_many_within_a_month_and_not_to_all_at_once() -> None:
    payers = [Payer(person("money", seed=seed), NOON) for seed in range(60)]
    paid = [sum(payer.answer(NOON + timedelta(days=day)) == "approve" for payer in payers) for day in (2, 14)]
    ever = sum(any(payer.answer(NOON + timedelta(days=day)) == "approve" for day in range(1, 29)) for payer in payers)
    assert paid[0] < 40
    assert ever > 45


def test_the_same_seed_draws_the_same_people_and_another_one_others() -> None:
    drawn = draw_people((), ["month"], 40, 40, 5)
    assert drawn == draw_people((), ["month"], 40, 40, 5)
    assert drawn != draw_people((), ["month"], 40, 40, 6)
    assert len({one.email for one in drawn}) == 40
    assert {one.email.partition("@")[2] for one in drawn} == {"example.com"}
    assert {one.interval for one in drawn} == {"month"}
