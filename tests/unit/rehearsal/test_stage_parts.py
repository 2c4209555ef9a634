"""The clock and the bell of a rehearsal, and who is in it."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from app.bell import Urgency
from app.clock import ClockWouldRunBack
from app.rehearsal.bell import StageBell
from app.rehearsal.errors import UnknownJob
from app.rehearsal.orders import Person
from app.rehearsal.payers import Drawn, Lot, Wanted, class_of, script_for
from app.rehearsal.population import Trait, draw_people
from app.rehearsal.time import StageClock
from app.sandbox.issuers.payers import PAID_BEFORE, Payer

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


WEEK = timedelta(days=7)


def lot(seed: int = 3) -> Lot:
    return Lot(NOON, WEEK, Random(seed))


def wanted(decline_class: str, code: str, segment: str = "us_consumer") -> Wanted:
    return Wanted(segment, decline_class, {"decline_code": code})


def says(drawn: Drawn) -> str:
    answer = drawn.payer.answer(NOON + drawn.after)
    assert not answer.approved
    return "authentication" if answer.words is None else class_of(answer.words.signals(), drawn.payer.card.brand)


def payer_of(person: Person) -> Payer:
    fails_at = NOON + timedelta(seconds=person.fails_after_seconds)
    return Payer.drawn(person.seed, person.segment, fails_at - PAID_BEFORE)


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


def test_payers_are_drawn_whose_last_renewal_went_through_and_whose_next_one_does_not() -> None:
    for drawn in (lot(seed).one("uk_eu") for seed in range(20)):
        fails_at = NOON + drawn.after
        assert timedelta(0) < drawn.after <= WEEK
        assert drawn.payer.answer(fails_at - PAID_BEFORE).approved
        assert not drawn.payer.answer(fails_at).approved


def test_for_each_decline_somebody_is_found_whose_bank_says_something_of_its_class() -> None:
    asked = [wanted("soft_timed", "insufficient_funds"), wanted("soft_opaque", "do_not_honor", "uk_eu")] * 10
    found = lot().like(asked)
    assert [one.payer.segment for one in found] == [one.segment for one in asked]
    assert [says(one) for one in found] == [one.decline_class for one in asked]
    assert not any(one.script for one in found)


def test_what_no_bank_there_says_is_said_by_a_card_that_is_told_to() -> None:
    (only,) = lot().like([wanted("network_never", "revocation_of_all_authorizations")])
    assert only.script == ({"decline_code": "revocation_of_all_authorizations"},)


@pytest.mark.parametrize(
    ("decline_class", "script"),
    [
        ("hard", ({"decline_code": "x"},)),
        ("authentication", ("requires_action",)),
        ("soft_fast", ({"decline_code": "x"}, "approve")),
    ],
)
def test_a_card_that_is_told_stays_dead_and_a_disturbance_passes(decline_class: str, script: object) -> None:
    assert script_for(wanted(decline_class, "x")) == script


def test_the_same_seed_draws_the_same_people_and_another_one_others() -> None:
    drawn = draw_people((), ["month"], NOON, 40, 40, 5)
    assert drawn == draw_people((), ["month"], NOON, 40, 40, 5)
    assert drawn != draw_people((), ["month"], NOON, 40, 40, 6)
    assert len({one.email for one in drawn}) == 40
    assert {one.email.partition("@")[2] for one in drawn} == {"example.com"}
    assert {one.interval for one in drawn} == {"month"}
    for one in drawn:
        assert not payer_of(one).answer(NOON + timedelta(seconds=one.fails_after_seconds)).approved


def test_people_drawn_after_real_failures_take_over_what_they_were_about() -> None:
    told = wanted("soft_timed", "insufficient_funds", "uk_eu")
    trait = Trait("AT", "Europe/Vienna", "de", "eur", 900, "month", "Solo", "mastercard", "debit", "AT", told)
    drawn = draw_people([trait], ["month"], NOON, 5, 40, 5)
    for one in drawn:
        assert (one.country, one.timezone, one.locale, one.amount) == ("AT", "Europe/Vienna", "de", 900)
        assert (one.plan, one.brand, one.segment) == ("Solo", "mastercard", "uk_eu")
