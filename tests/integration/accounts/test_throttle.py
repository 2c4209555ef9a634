"""Failed sign-ins are counted by person and by network address, shared over Redis, and also when Redis is away."""

import pytest

from app.accounts.throttle import PER_ADDRESS, PER_EMAIL, FailureThrottle
from app.context import Context

AWAY = "redis://127.0.0.1:1/0"


@pytest.fixture(params=["shared", "redis away"])
def throttle(request: pytest.FixtureRequest, context: Context) -> FailureThrottle:
    return FailureThrottle(context.settings.require("redis_url") if request.param == "shared" else AWAY, "key")


def test_the_eleventh_failure_of_one_person_is_too_many_from_anywhere(throttle: FailureThrottle) -> None:
    for number in range(PER_EMAIL.amount):
        assert not throttle.is_blocked("192.0.2.1", "ann@acme.example")
        throttle.failed(f"192.0.2.{number}", " ANN@acme.example")
    assert throttle.is_blocked("198.51.100.1", "ann@acme.example")
    assert not throttle.is_blocked("198.51.100.1", "bob@acme.example")


def test_one_network_address_cannot_try_its_way_through_a_list_of_people(throttle: FailureThrottle) -> None:
    for number in range(PER_ADDRESS.amount):
        throttle.failed("192.0.2.1", f"user{number}@acme.example")
    assert throttle.is_blocked("192.0.2.1", "ann@acme.example")
    assert not throttle.is_blocked("192.0.2.2", "ann@acme.example")


def test_the_count_is_shared_by_all_web_processes(context: Context) -> None:
    one, other = (FailureThrottle(context.settings.require("redis_url"), "key") for _ in range(2))
    for _ in range(PER_EMAIL.amount):
        one.failed("192.0.2.1", "ann@acme.example")
    assert other.is_blocked("192.0.2.9", "ann@acme.example")


def test_no_address_of_a_person_is_kept_in_redis(context: Context) -> None:
    FailureThrottle(context.settings.require("redis_url"), "key").failed("192.0.2.1", "ann@acme.example")
    assert not [key for key in context.bell.redis.scan_iter() if b"ann" in key]
