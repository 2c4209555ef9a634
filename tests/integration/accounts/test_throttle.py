"""Tries to sign in are counted by person and place, shared over Redis, and also when Redis is away."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from app.accounts.throttle import FROM_ANYWHERE, FROM_HERE, OF_ADDRESS, SignInThrottle
from app.clock import SystemClock
from app.context import Context

AWAY = "redis://127.0.0.1:1/0"
ANN, BOB = "ann@acme.example", "bob@acme.example"
HOME, ELSEWHERE = "192.0.2.1", "198.51.100.1"
Try = Callable[[str, str], int]


@pytest.fixture(params=["shared", "redis away"])
def throttle(request: pytest.FixtureRequest, context: Context) -> SignInThrottle:
    return SignInThrottle(context.settings.require("redis_url") if request.param == "shared" else AWAY, "key")


@pytest.fixture
def try_as(throttle: SignInThrottle) -> Try:
    return lambda address, email: throttle.try_now(address, email, SystemClock().now())


def guess_from_everywhere(try_as: Try, count: int) -> list[int]:
    return [try_as(f"203.0.113.{number}", ANN) for number in range(count)]


def test_the_eleventh_try_from_one_place_has_to_wait_and_other_people_there_do_not(try_as: Try) -> None:
    assert [try_as(HOME, ANN) for _ in range(FROM_HERE.amount)] == [0] * FROM_HERE.amount
    assert 0 < try_as(HOME, f" {ANN.upper()} ") <= 15 * 60
    assert try_as(HOME, BOB) == 0


def test_a_stranger_who_guesses_does_not_keep_anybody_out_elsewhere(try_as: Try) -> None:
    for _ in range(2 * FROM_HERE.amount):
        try_as(ELSEWHERE, ANN)
    assert try_as(HOME, ANN) == 0


def test_guesses_from_many_places_have_to_wait_but_a_place_that_is_known_does_not(
    throttle: SignInThrottle, try_as: Try
) -> None:
    throttle.succeeded(HOME, ANN)
    free = FROM_ANYWHERE[0].amount
    answers = guess_from_everywhere(try_as, free + 1)
    assert answers[:free] == [0] * free
    assert answers[free] > 0
    assert try_as(HOME, ANN) == 0


def test_a_sign_in_forgives_the_slips_before_it(throttle: SignInThrottle, try_as: Try) -> None:
    for _ in range(FROM_HERE.amount):
        try_as(HOME, ANN)
    throttle.succeeded(HOME, ANN)
    assert try_as(HOME, ANN) == 0


def test_one_place_cannot_try_its_way_through_a_list_of_people(try_as: Try) -> None:
    for number in range(OF_ADDRESS.amount):
        assert try_as(HOME, f"user{number}@acme.example") == 0
    assert try_as(HOME, ANN) > 0
    assert try_as(ELSEWHERE, ANN) == 0


def test_what_is_refused_is_not_counted(try_as: Try) -> None:
    for _ in range(2 * OF_ADDRESS.amount):
        try_as(HOME, ANN)
    assert try_as(HOME, BOB) == 0
    assert guess_from_everywhere(try_as, 1) == [0]


def test_the_longer_it_goes_on_the_longer_the_wait() -> None:
    rates = [item.amount / item.get_expiry() for item in FROM_ANYWHERE]
    assert rates == sorted(rates, reverse=True)
    assert FROM_ANYWHERE[-1].amount == 100


def test_the_count_and_the_known_places_are_shared_by_all_web_processes(context: Context) -> None:
    now = datetime.now(UTC)
    one, other = (SignInThrottle(context.settings.require("redis_url"), "key") for _ in range(2))
    for _ in range(FROM_HERE.amount):
        one.try_now(HOME, ANN, now)
    assert other.try_now(HOME, ANN, now) > 0
    one.succeeded(HOME, ANN)
    assert other.try_now(HOME, ANN, now) == 0


def test_no_address_of_a_person_is_kept_in_redis(context: Context) -> None:
    throttle = SignInThrottle(context.settings.require("redis_url"), "key")
    throttle.try_now(HOME, ANN, datetime.now(UTC))
    throttle.succeeded(HOME, ANN)
    assert list(context.bell.redis.scan_iter())
    assert not [key for key in context.bell.redis.scan_iter() if b"ann" in key]
